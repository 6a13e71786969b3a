// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/store/event_log.h"
#include "core/stream/event_list.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
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
  bool Read(std::int64_t after, std::size_t count_max, EventRuns& out) const;
  bool Covers(std::int64_t after) const;
  std::int64_t head() const { return head_.load(); }

 private:
  using Block = std::shared_ptr<const EventBlock>;  // shared: with whoever reads it

  static std::size_t SizeOf(const EventBlock& block);
  static std::int64_t FirstOf(const Block& block) { return block->records().front().sequence; }
  static std::int64_t LastOf(const Block& block) { return block->records().back().sequence; }

  void AppendBlockLocked(std::span<const store::EventRecord> events) WATTMINT_REQUIRES(mutex_);

  const std::size_t bytes_max_;
  mutable base::Mutex mutex_;  // guards all below
  std::deque<Block> blocks_ WATTMINT_GUARDED_BY(mutex_);
  std::size_t bytes_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::atomic<std::int64_t> head_;  // changes under the mutex alone
};

}  // namespace wattmint::stream
