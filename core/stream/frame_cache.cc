// SPDX-License-Identifier: Apache-2.0
#include "core/stream/frame_cache.h"

#include "core/wire/event_codec.h"

#include <algorithm>
#include <cstring>
#include <iterator>
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

const FrameCache::Place* FrameCache::FindLocked(std::int64_t sequence) const {
  const std::int64_t index = sequence - first_sequence_;
  if (index < 0 || index >= std::ssize(places_)) return nullptr;
  return &places_[static_cast<std::size_t>(index)];
}

std::vector<SharedBytes> FrameCache::Collect(std::span<const store::EventRecord> events) const {
  std::vector<SharedBytes> pieces;
  base::MutexLock lock(mutex_);
  const auto is_kept = [this](const store::EventRecord& event) WATTMINT_REQUIRES(mutex_) {
    return FindLocked(event.sequence) != nullptr;
  };
  const auto kept = std::find_if(events.begin(), events.end(), is_kept);
  if (kept != events.begin()) pieces.push_back(MakeAnew({events.begin(), kept}));
  for (auto event = kept; event != events.end(); ++event) {
    const Place* place = FindLocked(event->sequence);
    if (place == nullptr) {
      pieces.push_back(MakeAnew({event, events.end()}));
      break;
    }
    const Block& block = blocks_[static_cast<std::size_t>(place->block - first_block_)];
    const std::string_view bytes(block.memory.get() + place->offset, place->size);
    SharedBytes* last = pieces.empty() ? nullptr : &pieces.back();
    if (last != nullptr && last->owner.get() == block.memory.get() &&
        last->bytes.data() + last->bytes.size() == bytes.data()) {
      last->bytes = {last->bytes.data(), last->bytes.size() + bytes.size()};
    } else {
      pieces.push_back({block.memory, bytes});
    }
  }
  return pieces;
}

}  // namespace wattmint::stream
