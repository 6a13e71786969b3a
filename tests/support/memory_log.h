// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/store/event_log.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::test {

// An event log in memory, for tests of what reads one. Threads: any.
class MemoryLog final : public store::EventLog {
 public:
  absl::StatusOr<store::LogBounds> GetBounds() override {
    base::MutexLock lock(mutex_);
    store::LogBounds bounds{"epoch-1", first_, Last()};
    for (std::int64_t i = first_; i <= Last(); ++i) {
      bounds.bytes += std::ssize(payloads_[static_cast<std::size_t>(i - 1)]);
    }
    return bounds;
  }

  absl::StatusOr<std::vector<store::StoredEvent>> Read(std::int64_t from, std::size_t count_max,
                                                       std::size_t bytes_max) override {
    base::MutexLock lock(mutex_);
    ++reads_;
    if (!failure_.ok()) return failure_;
    if (from < first_) return base::OutOfRange("compacted; the oldest is {}", first_);
    std::vector<store::StoredEvent> page;
    std::size_t bytes = 0;
    for (auto i = from; i <= Last() && page.size() < count_max; ++i) {
      const std::string& payload = payloads_[static_cast<std::size_t>(i - 1)];
      bytes += payload.size();
      if (bytes > bytes_max && !page.empty()) break;
      page.push_back({i, payload});
    }
    return page;
  }

  std::int64_t Append(std::string payload) {
    base::MutexLock lock(mutex_);
    payloads_.push_back(std::move(payload));
    return Last();
  }
  void CompactBefore(std::int64_t first) {
    base::MutexLock lock(mutex_);
    first_ = first;
  }
  // Every Read() fails from now on; OK ends that.
  void Fail(absl::Status failure) {
    base::MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }
  int reads() const {
    base::MutexLock lock(mutex_);
    return reads_;
  }

 private:
  std::int64_t Last() const WATTMINT_REQUIRES(mutex_) { return std::ssize(payloads_); }

  mutable base::Mutex mutex_;
  std::vector<std::string> payloads_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t first_ WATTMINT_GUARDED_BY(mutex_) = 1;
  int reads_ WATTMINT_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::test
