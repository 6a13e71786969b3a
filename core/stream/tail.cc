// SPDX-License-Identifier: Apache-2.0
#include "core/stream/tail.h"

#include <algorithm>

namespace wattmint::stream {
namespace {

// A record, its control block and its attributes, beside their text: measured, rounded up.
constexpr std::size_t kRecordOverheadBytes = 320;
// Blocks are kept and forgotten whole. Chosen: half of what a message holds by default.
constexpr std::size_t kBlockEventsMax = 1'024;

}  // namespace

Tail::Tail(std::int64_t head, std::size_t bytes_max) : bytes_max_(bytes_max), head_(head) {}

std::size_t Tail::SizeOf(const EventBlock& block) {
  const std::size_t count = block.records().size();
  return count * kRecordOverheadBytes + block.PayloadBytes(0, count);
}

void Tail::Append(const std::vector<store::EventRecord>& events) {
  base::MutexLock lock(mutex_);
  // What is not behind the head was read from the log by a reset before.
  const auto is_new = [this](const store::EventRecord& event)
                          WATTMINT_REQUIRES(mutex_) { return event.sequence > head_; };
  std::span<const store::EventRecord> rest(std::ranges::find_if(events, is_new), events.end());
  if (rest.empty()) return;
  if (rest.front().sequence != head_ + 1) {
    blocks_.clear();
    bytes_ = 0;
  }
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), kBlockEventsMax);
    AppendBlockLocked(rest.first(count));
    rest = rest.subspan(count);
  }
  while (bytes_ > bytes_max_ && blocks_.size() > 1) {
    bytes_ -= SizeOf(*blocks_.front());
    blocks_.pop_front();
  }
}

void Tail::AppendBlockLocked(std::span<const store::EventRecord> events) {
  blocks_.push_back(std::make_shared<const EventBlock>(
      std::vector<store::EventRecord>(events.begin(), events.end())));
  bytes_ += SizeOf(*blocks_.back());
  head_ = events.back().sequence;
}

void Tail::Reset(std::int64_t head) {
  base::MutexLock lock(mutex_);
  blocks_.clear();
  bytes_ = 0;
  head_ = head;
}

bool Tail::Read(std::int64_t after, std::size_t count_max, EventRuns& out) const {
  base::MutexLock lock(mutex_);
  if (after >= head_) return true;
  if (blocks_.empty() || after + 1 < FirstOf(blocks_.front())) return false;
  const auto is_before = [after](const Block& block) { return LastOf(block) <= after; };
  auto block = std::partition_point(blocks_.begin(), blocks_.end(), is_before);
  for (std::size_t left = count_max; left > 0 && block != blocks_.end(); ++block) {
    const auto begin =
        static_cast<std::size_t>(std::max(after + 1 - FirstOf(*block), std::int64_t{0}));
    const std::size_t end = std::min((*block)->records().size(), begin + left);
    out.push_back({*block, begin, end});
    left -= end - begin;
  }
  return true;
}

bool Tail::Covers(std::int64_t after) const {
  base::MutexLock lock(mutex_);
  return after >= head_ || (!blocks_.empty() && after + 1 >= FirstOf(blocks_.front()));
}

}  // namespace wattmint::stream
