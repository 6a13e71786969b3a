// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace wattmint::check {

// One event of the log, as far as a verdict needs it. Users and meters of the check have numbers
// from 0.
struct LogEntry {
  static constexpr std::int16_t kOther = -1;      // nobody of the check; also for admins only
  static constexpr std::int16_t kEverybody = -2;  // a user only

  std::uint64_t grpc_digest = 0;  // of what a gRPC stream carries of it
  std::uint64_t json_digest = 0;  // of what a WebSocket does
  std::uint16_t type = 0;         // number of wattmint.v1.EventType; 0: of a later version
  std::int16_t user = kOther;     // whom it concerned when it happened
  std::int16_t meter = kOther;
};

// The stretch of the log under check, read by somebody else than the subscribers: what they
// received is compared with this one copy. Some 24 bytes an event, however many subscribers.
//
// Threads: one appends, any read.
class ReferenceLog {
 public:
  // `first`: sequence of the first entry.
  explicit ReferenceLog(std::int64_t first) : first_(first) {}
  ReferenceLog(const ReferenceLog&) = delete;
  ReferenceLog& operator=(const ReferenceLog&) = delete;

  void Append(const LogEntry& entry) WATTMINT_EXCLUDES(mutex_);
  // Nothing more will come: whoever waits is told so.
  void Close() WATTMINT_EXCLUDES(mutex_);

  std::int64_t first() const { return first_; }
  // The last sequence; first() - 1 while it is empty.
  std::int64_t head() const WATTMINT_EXCLUDES(mutex_);
  bool is_closed() const WATTMINT_EXCLUDES(mutex_);
  // Whether it has come so far, within this time.
  bool WaitFor(std::int64_t sequence, std::chrono::microseconds timeout) const
      WATTMINT_EXCLUDES(mutex_);
  // The entries from `sequence` on, at most `count`. REQUIRES: sequence >= first().
  std::vector<LogEntry> Copy(std::int64_t sequence, std::size_t count) const
      WATTMINT_EXCLUDES(mutex_);

 private:
  std::int64_t HeadLocked() const WATTMINT_REQUIRES(mutex_) {
    return first_ + static_cast<std::int64_t>(entries_.size()) - 1;
  }

  const std::int64_t first_;
  mutable base::Mutex mutex_;  // guards all below
  mutable base::CondVar grown_;
  std::deque<LogEntry> entries_ WATTMINT_GUARDED_BY(mutex_);
  bool is_closed_ WATTMINT_GUARDED_BY(mutex_) = false;
};

// Reads a ReferenceLog forwards. Threads: one. Lifetime: `log` must outlive it.
class LogWindow {
 public:
  explicit LogWindow(const ReferenceLog& log) : log_(log) {}

  // Nothing for a sequence that the log does not have. Valid until the next call.
  const LogEntry* Find(std::int64_t sequence);

 private:
  const ReferenceLog& log_;
  std::int64_t begin_ = 0;
  std::vector<LogEntry> entries_;  // from begin_ on
};

}  // namespace wattmint::check
