// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/store/event_log.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace wattmint::stream {

// The newest events in memory, without a gap between them, bounded by bytes.
// Threads: any.
class Tail {
 public:
  Tail(std::int64_t head, std::size_t bytes_max);

  // Events that do not continue the head replace everything.
  void Append(const std::vector<store::EventRecord>& events);
  // Forgets everything; the head is `head` now.
  void Reset(std::int64_t head);
  // Appends to `out` at most `count_max` events after `after` (excluded). False when the tail does
  // not reach back so far.
  bool Read(std::int64_t after, std::size_t count_max, std::vector<store::EventRecord>& out) const;
  bool Covers(std::int64_t after) const;
  std::int64_t head() const;

 private:
  static std::size_t SizeOf(const store::EventRecord& event);

  const std::size_t bytes_max_;
  mutable base::Mutex mutex_;  // guards all below
  std::deque<store::EventRecord> events_ WATTMINT_GUARDED_BY(mutex_);
  std::size_t bytes_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::int64_t head_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::stream
