// SPDX-License-Identifier: Apache-2.0
#include "core/stream/tail.h"

#include <algorithm>

namespace wattmint::stream {
namespace {

// A record, its control block and its attributes, beside their text: measured, rounded up.
constexpr std::size_t kRecordOverheadBytes = 320;

}  // namespace

Tail::Tail(std::int64_t head, std::size_t bytes_max) : bytes_max_(bytes_max), head_(head) {}

std::size_t Tail::SizeOf(const store::EventRecord& event) {
  return kRecordOverheadBytes + event.body->payload.size();
}

void Tail::Append(const std::vector<store::EventRecord>& events) {
  base::MutexLock lock(mutex_);
  for (const store::EventRecord& event : events) {
    if (event.sequence <= head_) continue;  // read from the log by a reset before
    if (event.sequence != head_ + 1) {
      events_.clear();
      bytes_ = 0;
    }
    events_.push_back(event);
    bytes_ += SizeOf(event);
    head_ = event.sequence;
  }
  while (bytes_ > bytes_max_ && events_.size() > 1) {
    bytes_ -= SizeOf(events_.front());
    events_.pop_front();
  }
}

void Tail::Reset(std::int64_t head) {
  base::MutexLock lock(mutex_);
  events_.clear();
  bytes_ = 0;
  head_ = head;
}

bool Tail::Read(std::int64_t after, std::size_t count_max,
                std::vector<store::EventRecord>& out) const {
  base::MutexLock lock(mutex_);
  if (after >= head_) return true;
  if (events_.empty() || after + 1 < events_.front().sequence) return false;
  const auto first = static_cast<std::size_t>(after + 1 - events_.front().sequence);
  const std::size_t last = std::min(events_.size(), first + count_max);
  out.insert(out.end(), events_.begin() + static_cast<std::ptrdiff_t>(first),
             events_.begin() + static_cast<std::ptrdiff_t>(last));
  return true;
}

bool Tail::Covers(std::int64_t after) const {
  base::MutexLock lock(mutex_);
  return after >= head_ || (!events_.empty() && after + 1 >= events_.front().sequence);
}

std::int64_t Tail::head() const {
  base::MutexLock lock(mutex_);
  return head_;
}

}  // namespace wattmint::stream
