// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/violation.h"
#include "core/base/mutex.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace wattmint::check {

// Counts what is found, and keeps the first of it to be told. Threads: any.
class Findings final : public ViolationSink {
 public:
  static constexpr std::size_t kKeptMax = 100;  // chosen: more are no help

  void Report(Violation violation) override WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    ++counts_[static_cast<std::size_t>(violation.guarantee)];
    if (++total_ <= static_cast<std::int64_t>(kKeptMax)) waiting_.push_back(std::move(violation));
  }

  // What was found since the last call, without what is beyond kKeptMax.
  std::vector<Violation> Take() WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return std::exchange(waiting_, {});
  }
  std::int64_t total() const WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return total_;
  }
  std::int64_t Count(Guarantee guarantee) const WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return counts_[static_cast<std::size_t>(guarantee)];
  }

 private:
  mutable base::Mutex mutex_;  // guards all below
  std::int64_t total_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::array<std::int64_t, kGuarantees.size()> counts_ WATTMINT_GUARDED_BY(mutex_){};
  std::vector<Violation> waiting_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::check
