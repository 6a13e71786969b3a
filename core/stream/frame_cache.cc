// SPDX-License-Identifier: Apache-2.0
#include "core/stream/frame_cache.h"

#include "core/wire/event_codec.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace wattmint::stream {
namespace {

// The same events made for one reader alone.
SharedBytes MakeAnew(std::span<const store::EventRecord> events) {
  std::string bytes;
  for (const store::EventRecord& event : events) {
    wire::AppendEventField(event.sequence, event.body->payload, bytes);
  }
  std::shared_ptr<char[]> memory(new char[bytes.size()]);
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return {memory, {memory.get(), bytes.size()}};
}

}  // namespace

void FrameCache::Publish(std::vector<store::EventRecord> events) {
  {
    base::MutexLock lock(mutex_);
    if (!events.empty() && first_sequence_ + std::ssize(places_) != events.front().sequence) {
      ClearLocked();
    }
    for (const store::EventRecord& event : events) AppendLocked(event);
    TrimLocked();
  }
  next_.Publish(std::move(events));
}

void FrameCache::Reset(std::int64_t last) {
  {
    base::MutexLock lock(mutex_);
    ClearLocked();
  }
  next_.Reset(last);
}

void FrameCache::ClearLocked() {
  first_block_ += std::ssize(blocks_);
  blocks_.clear();
  places_.clear();
  bytes_ = 0;
}

void FrameCache::AppendLocked(const store::EventRecord& event) {
  std::string bytes;
  wire::AppendEventField(event.sequence, event.body->payload, bytes);
  if (blocks_.empty() || blocks_.back().capacity - blocks_.back().used < bytes.size()) {
    const std::size_t capacity = std::max(options_.block_bytes, bytes.size());
    blocks_.push_back({std::shared_ptr<char[]>(new char[capacity]), capacity, 0, 0});
    bytes_ += capacity;
  }
  if (places_.empty()) first_sequence_ = event.sequence;
  Block& block = blocks_.back();
  std::memcpy(block.memory.get() + block.used, bytes.data(), bytes.size());
  places_.push_back({first_block_ + std::ssize(blocks_) - 1, block.used, bytes.size()});
  block.used += bytes.size();
  ++block.events_count;
}

void FrameCache::TrimLocked() {
  while (bytes_ > options_.bytes_max && blocks_.size() > 1) {
    const Block& oldest = blocks_.front();
    places_.erase(places_.begin(),
                  places_.begin() + static_cast<std::ptrdiff_t>(oldest.events_count));
    first_sequence_ += static_cast<std::int64_t>(oldest.events_count);
    bytes_ -= oldest.capacity;
    blocks_.pop_front();
    ++first_block_;
  }
}

SharedPieces FrameCache::Collect(const EventList& events) const {
  SharedPieces pieces;
  base::MutexLock lock(mutex_);
  for (const EventRun& run : events.runs()) CollectRunLocked(run.records(), pieces);
  return pieces;
}

// The kept events have no gap, and neither has the run: what is kept of it is in its middle.
void FrameCache::CollectRunLocked(std::span<const store::EventRecord> run,
                                  SharedPieces& pieces) const {
  const std::int64_t first = run.front().sequence;
  const std::int64_t count = std::ssize(run);
  const std::int64_t begin = std::clamp(first_sequence_ - first, std::int64_t{0}, count);
  const std::int64_t end = std::clamp(first_sequence_ + std::ssize(places_) - first, begin, count);
  const auto before = run.first(static_cast<std::size_t>(begin));
  const auto behind = run.subspan(static_cast<std::size_t>(end));
  if (!before.empty()) pieces.push_back(MakeAnew(before));
  if (begin < end) {
    const auto place = [&](std::int64_t offset) WATTMINT_REQUIRES(mutex_) -> const Place& {
      return places_[static_cast<std::size_t>(first + offset - first_sequence_)];
    };
    CollectKeptLocked(place(begin), place(end - 1), pieces);
  }
  if (!behind.empty()) pieces.push_back(MakeAnew(behind));
}

void FrameCache::CollectKeptLocked(const Place& first, const Place& last,
                                   SharedPieces& pieces) const {
  for (std::int64_t number = first.block; number <= last.block; ++number) {
    const Block& block = blocks_[static_cast<std::size_t>(number - first_block_)];
    const std::size_t begin = number == first.block ? first.offset : 0;
    const std::size_t end = number == last.block ? last.offset + last.size : block.used;
    const std::string_view bytes(block.memory.get() + begin, end - begin);
    SharedBytes* const before = pieces.empty() ? nullptr : &pieces.back();
    if (before != nullptr && before->owner.get() == block.memory.get() &&
        before->bytes.data() + before->bytes.size() == bytes.data()) {
      before->bytes = {before->bytes.data(), before->bytes.size() + bytes.size()};
    } else {
      pieces.push_back({block.memory, bytes});
    }
  }
}

}  // namespace wattmint::stream
