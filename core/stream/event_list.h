// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/event_log.h"

#include <absl/container/inlined_vector.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

namespace wattmint::stream {

// Events that came together, one behind the other. It never changes, so that all readers share it.
class EventBlock {
 public:
  explicit EventBlock(std::vector<store::EventRecord> records);

  std::span<const store::EventRecord> records() const { return records_; }
  // Bytes of payload of the records from `begin` (included) to `end` (excluded).
  std::size_t PayloadBytes(std::size_t begin, std::size_t end) const;
  // Where a reader that wants `bytes` of payload from `begin` on has enough; at most `end`.
  std::size_t FindEnough(std::size_t begin, std::size_t end, std::size_t bytes) const;

 private:
  const std::vector<store::EventRecord> records_;
  std::vector<std::size_t> bytes_until_;  // payload of the records before each; one more than these
};

// Neighbours in a block; their sequences have no gap.
struct EventRun {
  std::shared_ptr<const EventBlock> block;  // shared: by all who read it
  std::size_t begin = 0;
  std::size_t end = 0;  // excluded

  std::span<const store::EventRecord> records() const {
    return block->records().subspan(begin, end - begin);
  }
};

// Mostly one, which needs no memory of its own.
using EventRuns = absl::InlinedVector<EventRun, 1>;

// Ascending events, as runs of shared blocks: to pass a thousand of them on costs as much as one.
class EventList {
 public:
  class Iterator;

  EventList() = default;
  // A block of their own. Implicit, since it is the same events. REQUIRES: they ascend.
  EventList(std::vector<store::EventRecord> records);  // NOLINT(google-explicit-constructor)

  // REQUIRES: the run is not empty, and behind what is here.
  void Append(EventRun run);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const EventRuns& runs() const { return runs_; }
  Iterator begin() const;
  Iterator end() const;

 private:
  EventRuns runs_;
  std::size_t size_ = 0;
};

class EventList::Iterator {
 public:
  using value_type = store::EventRecord;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  Iterator(const EventRun* run, std::size_t offset) : run_(run), offset_(offset) {}
  const store::EventRecord& operator*() const { return run_->records()[offset_]; }
  const store::EventRecord* operator->() const { return &**this; }
  Iterator& operator++() {
    if (++offset_ == run_->end - run_->begin) {
      ++run_;
      offset_ = 0;
    }
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const EventRun* run_ = nullptr;
  std::size_t offset_ = 0;
};

inline EventList::Iterator EventList::begin() const { return {runs_.data(), 0}; }
inline EventList::Iterator EventList::end() const { return {runs_.data() + runs_.size(), 0}; }

static_assert(std::forward_iterator<EventList::Iterator>);

}  // namespace wattmint::stream
