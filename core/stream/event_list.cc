// SPDX-License-Identifier: Apache-2.0
#include "core/stream/event_list.h"

#include <algorithm>
#include <utility>

namespace wattmint::stream {

EventBlock::EventBlock(std::vector<store::EventRecord> records) : records_(std::move(records)) {
  bytes_until_.reserve(records_.size() + 1);
  bytes_until_.push_back(0);
  for (const store::EventRecord& record : records_) {
    bytes_until_.push_back(bytes_until_.back() + record.body->payload.size());
  }
}

std::size_t EventBlock::PayloadBytes(std::size_t begin, std::size_t end) const {
  return bytes_until_[end] - bytes_until_[begin];
}

std::size_t EventBlock::FindEnough(std::size_t begin, std::size_t end, std::size_t bytes) const {
  const auto at = [this](std::size_t place) {
    return bytes_until_.begin() + static_cast<std::ptrdiff_t>(place);
  };
  const std::size_t wanted = *at(begin) + bytes;
  return static_cast<std::size_t>(std::lower_bound(at(begin), at(end), wanted) - at(0));
}

EventList::EventList(std::vector<store::EventRecord> records) {
  const auto block = std::make_shared<const EventBlock>(std::move(records));
  const std::span<const store::EventRecord> all = block->records();
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && all[end].sequence == all[end - 1].sequence + 1) ++end;
    Append({block, begin, end});
    begin = end;
  }
}

void EventList::Append(EventRun run) {
  size_ += run.end - run.begin;
  EventRun* const last = runs_.empty() ? nullptr : &runs_.back();
  const bool continues = last != nullptr && last->block == run.block && last->end == run.begin &&
                         last->records().back().sequence + 1 == run.records().front().sequence;
  if (continues) {
    last->end = run.end;
  } else {
    runs_.push_back(std::move(run));
  }
}

}  // namespace wattmint::stream
