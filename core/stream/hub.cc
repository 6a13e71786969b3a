// SPDX-License-Identifier: Apache-2.0
#include "core/stream/hub.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/stream/start.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace wattmint::stream {
namespace {

// A match at this sequence lets nobody skip anything.
constexpr std::int64_t kSomewhere = 1;

void Mark(Waiter& waiter, std::int64_t sequence) {
  std::int64_t none = 0;
  waiter.first_match.compare_exchange_strong(none, sequence);
}

void Wake(Waiter& waiter) {
  base::MutexLock lock(waiter.mutex);
  if (waiter.waker) waiter.waker();
}

}  // namespace

Subscription::Subscription(Hub& hub, std::shared_ptr<Waiter> waiter, std::int64_t after)
    : hub_(hub), waiter_(std::move(waiter)), position_(after) {}

Subscription::~Subscription() { hub_.Remove(waiter_); }

absl::StatusOr<Page> Subscription::Next(std::size_t count_max, std::size_t bytes_max) {
  SkipWhatDoesNotMatch();
  const bool is_everything = interest().IsEverything();
  const std::size_t look_max = hub_.options_.scan_max;
  WATTMINT_ASSIGN_OR_RETURN(const EventRuns stretch,
                            ReadOn(is_everything ? std::min(count_max, look_max) : look_max));
  Page page;
  Room room{count_max, bytes_max};
  for (const EventRun& run : stretch) {
    if (room.count == 0 || room.bytes == 0) break;
    is_everything ? TakeAll(run, room, page.events) : TakeMatches(run, room, page.events);
  }
  page.delivered = position_;
  page.at_head = position_ >= hub_.head();
  reached_head_ = page.at_head;
  return page;
}

void Subscription::TakeAll(const EventRun& run, Room& room, EventList& events) {
  const std::size_t end =
      run.block->FindEnough(run.begin, std::min(run.end, run.begin + room.count), room.bytes);
  const EventRun taken{run.block, run.begin, end};
  position_ = taken.records().back().sequence;
  room.count -= end - run.begin;
  room.bytes -= std::min(room.bytes, run.block->PayloadBytes(run.begin, end));
  events.Append(taken);
}

void Subscription::TakeMatches(const EventRun& run, Room& room, EventList& events) {
  const std::span<const store::EventRecord> records = run.block->records();
  std::size_t begin = run.begin;  // of the matches that were not appended yet
  std::size_t i = run.begin;
  const auto append = [&] {
    if (begin < i) events.Append({run.block, begin, i});
  };
  for (; i < run.end && room.count > 0 && room.bytes > 0; ++i) {
    position_ = records[i].sequence;
    if (interest().Matches(records[i].body->attributes)) {
      room.count -= 1;
      room.bytes -= std::min(room.bytes, records[i].body->payload.size());
    } else {
      append();
      begin = i + 1;
    }
  }
  append();
}

// The order matters: an event up to `dispatched` that matches had been marked before that was
// stored, so a mark that is missing now says that there is none.
void Subscription::SkipWhatDoesNotMatch() {
  const std::int64_t dispatched = hub_.dispatched_.load();
  const std::int64_t first_match = waiter_->first_match.exchange(0);
  if (!reached_head_) return;
  position_ = std::max(position_, first_match == 0 ? dispatched : first_match - 1);
}

absl::StatusOr<EventRuns> Subscription::ReadOn(std::size_t count_max) const {
  EventRuns stretch;
  if (hub_.tail_.Read(position_, count_max, stretch)) return stretch;
  WATTMINT_ASSIGN_OR_RETURN(EventRun read, ReadLog(count_max));
  stretch.push_back(std::move(read));
  return stretch;
}

// Not beyond the head: a commit is in the log before it is published, and whoever came back with a
// cursor from there would be told that it is in the future.
absl::StatusOr<EventRun> Subscription::ReadLog(std::size_t count_max) const {
  const auto published = static_cast<std::size_t>(hub_.head() - position_);
  auto read =
      hub_.log_.Read(position_ + 1, std::min(count_max, published), hub_.options_.log_page_bytes);
  if (absl::IsOutOfRange(read.status())) {
    WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, hub_.log_.GetBounds());
    return Compacted(read.status(), bounds.first);
  }
  WATTMINT_ASSIGN_OR_RETURN(std::vector<store::StoredEvent> stored, std::move(read));
  std::vector<store::EventRecord> stretch;
  stretch.reserve(stored.size());
  std::int64_t expected = position_ + 1;
  for (store::StoredEvent& event : stored) {
    if (event.sequence != expected++) break;
    WATTMINT_ASSIGN_OR_RETURN(auto attributes, hub_.decoder_(event.payload));
    stretch.push_back({event.sequence, std::make_shared<const store::EventRecord::Body>(
                                           std::move(event.payload), std::move(attributes))});
  }
  const std::size_t count = stretch.size();
  if (count != stored.size() || count == 0) {
    return base::DataLoss("the log has no event {}", position_ + 1 + std::ssize(stretch));
  }
  return EventRun{std::make_shared<const EventBlock>(std::move(stretch)), 0, count};
}

bool Subscription::Arm() {
  waiter_->armed.store(true);
  if (waiter_->first_match.load() == 0) return true;
  // When the dispatcher was first to take it, its wake is on the way.
  return !waiter_->armed.exchange(false);
}

bool Subscription::IsInTail() const { return hub_.tail_.Covers(position_); }

Hub::Hub(store::EventLog& log, AttributeDecoder decoder, std::int64_t head, Options options)
    : log_(log),
      decoder_(std::move(decoder)),
      options_(options),
      tail_(head, options.tail_bytes_max),
      dispatched_(head),
      dispatcher_([this] { DispatchLoop(); }) {}

Hub::~Hub() {
  WATTMINT_ASSERT(subscribers_count() == 0, "{} subscriptions outlive their hub",
                  subscribers_count());
  {
    base::MutexLock lock(signal_mutex_);
    stopping_ = true;
    signal_.NotifyOne();
  }
  dispatcher_.join();
}

void Hub::Publish(std::vector<store::EventRecord> events) {
  if (events.empty()) return;
  tail_.Append(events);
  base::MutexLock lock(signal_mutex_);
  if (fresh_.empty()) {
    fresh_ = std::move(events);
  } else {
    std::ranges::move(events, std::back_inserter(fresh_));
  }
  signal_.NotifyOne();
}

void Hub::Reset(std::int64_t last) {
  tail_.Reset(last);
  base::MutexLock lock(signal_mutex_);
  fresh_.clear();
  reset_to_ = last;
  signal_.NotifyOne();
}

std::unique_ptr<Subscription> Hub::Subscribe(Interest interest, std::int64_t after,
                                             std::function<void()> waker) {
  auto waiter = std::make_shared<Waiter>(std::move(interest), std::move(waker));
  base::MutexLock lock(index_mutex_);
  index_.Add(waiter);
  return std::unique_ptr<Subscription>(new Subscription(*this, std::move(waiter), after));
}

void Hub::Remove(const std::shared_ptr<Waiter>& waiter) {
  {
    base::MutexLock lock(index_mutex_);
    index_.Remove(waiter);
  }
  base::MutexLock lock(waiter->mutex);
  waiter->waker = nullptr;
}

std::size_t Hub::subscribers_count() const {
  base::MutexLock lock(index_mutex_);
  return index_.size();
}

void Hub::DispatchLoop() {
  for (;;) {
    std::vector<store::EventRecord> events;
    std::int64_t reset_to = -1;
    {
      base::MutexLock lock(signal_mutex_);
      signal_.Wait(signal_mutex_, [this]() WATTMINT_REQUIRES(signal_mutex_) {
        return stopping_ || !fresh_.empty() || reset_to_ >= 0;
      });
      if (stopping_) return;
      events.swap(fresh_);
      std::swap(reset_to, reset_to_);
    }
    Dispatch(events, reset_to);
  }
}

void Hub::Dispatch(const std::vector<store::EventRecord>& events, std::int64_t reset_to) {
  std::vector<std::shared_ptr<Waiter>> to_wake;
  const auto tell = [&to_wake](const std::shared_ptr<Waiter>& waiter, std::int64_t sequence) {
    Mark(*waiter, sequence);
    if (waiter->armed.exchange(false)) to_wake.push_back(waiter);
  };
  {
    base::MutexLock lock(index_mutex_);
    if (reset_to >= 0) {
      index_.VisitAll([&tell](const auto& waiter) { tell(waiter, kSomewhere); });
      dispatched_.store(reset_to);
    }
    index_.VisitMatches(events, tell);
    if (!events.empty()) dispatched_.store(events.back().sequence);
  }
  for (const auto& waiter : to_wake) Wake(*waiter);
}

}  // namespace wattmint::stream
