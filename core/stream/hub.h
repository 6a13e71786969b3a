// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/store/event_log.h"
#include "core/stream/event_list.h"
#include "core/stream/interest.h"
#include "core/stream/interest_index.h"
#include "core/stream/tail.h"

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace wattmint::stream {

class Hub;

// What Subscription::Next() found. Everything up to `delivered` that matches is in `events` or was
// in those before.
struct Page {
  EventList events;
  std::int64_t delivered = 0;
  bool at_head = false;  // nothing more is there now: Arm() and wait
};

// One subscriber's place in the log. History and live are one path: Next() reads from the tail when
// it can and from the log when it must; the live signal only wakes it.
//
// Threads: one at a time. Lifetime: ends before its Hub.
class Subscription {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // At most `count_max` matching events and about `bytes_max` of payload. Looks at a bounded
  // stretch of the log, so that `events` may be empty without at_head: call again. May read from
  // disk. Errors: kOutOfRange with COMPACTED; the log's.
  absl::StatusOr<Page> Next(std::size_t count_max, std::size_t bytes_max);

  // Asks for one call of the waker when an event matches. False when one has come already: call
  // Next() instead.
  bool Arm();

  // Everything up to here that matches was handed out.
  std::int64_t position() const { return position_; }
  // Whether Next() would be served without the log.
  bool IsInTail() const;
  const Interest& interest() const { return waiter_->interest; }

 private:
  friend class Hub;
  Subscription(Hub& hub, std::shared_ptr<Waiter> waiter, std::int64_t after);

  struct Room {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };

  void SkipWhatDoesNotMatch();
  absl::StatusOr<EventRuns> ReadOn(std::size_t count_max) const;
  absl::StatusOr<EventRun> ReadLog(std::size_t count_max) const;
  void TakeAll(const EventRun& run, Room& room, EventList& events);
  void TakeMatches(const EventRun& run, Room& room, EventList& events);

  Hub& hub_;
  // shared: the dispatcher may hold it while it is being taken out of the index
  const std::shared_ptr<Waiter> waiter_;
  std::int64_t position_;
  // Next() reached the head after it had cleared first_match: what the dispatcher saw since then is
  // all that can match.
  bool reached_head_ = false;
};

// Takes committed events in, keeps the newest in memory, and wakes the subscribers that they
// concern: the work for each event is proportional to the subscribers that match.
//
// Publishing only appends and signals; one dispatcher thread wakes subscribers, so that a slow or
// numerous audience never holds up the writer.
// Threads: any. Lifetime: `log` must outlive it; every Subscription must end before it.
class Hub final : public store::EventSink {
 public:
  struct Options {
    std::size_t tail_bytes_max = 64 << 20;  // kept in memory
    std::size_t scan_max = 4'096;           // events that one Next() looks at
    std::size_t log_page_bytes = 1 << 20;   // of payload that is read from the log at once
  };
  // Decodes the attributes of a payload that was read from the log.
  using AttributeDecoder =
      std::function<absl::StatusOr<domain::EventAttributes>(std::string_view payload)>;

  // `head`: last sequence of the log now.
  Hub(store::EventLog& log, AttributeDecoder decoder, std::int64_t head, Options options);
  ~Hub() override;
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void Publish(std::vector<store::EventRecord> events) override;
  void Reset(std::int64_t last) override;

  // Events after `after` (excluded). `waker` is called on the dispatcher's thread and must not
  // block nor end the subscription; it is not called any more once the Subscription's destructor
  // returned.
  std::unique_ptr<Subscription> Subscribe(Interest interest, std::int64_t after,
                                          std::function<void()> waker);
  // Last published sequence.
  std::int64_t head() const { return tail_.head(); }
  std::size_t subscribers_count() const;

 private:
  friend class Subscription;

  void Remove(const std::shared_ptr<Waiter>& waiter);
  void DispatchLoop();
  void Dispatch(const std::vector<store::EventRecord>& events, std::int64_t reset_to);

  store::EventLog& log_;
  const AttributeDecoder decoder_;
  const Options options_;
  Tail tail_;
  // Every waiter has been told of every event up to here.
  std::atomic<std::int64_t> dispatched_;

  mutable base::Mutex index_mutex_;  // guards the index; no other is taken while it is held
  InterestIndex index_ WATTMINT_GUARDED_BY(index_mutex_);

  base::Mutex signal_mutex_;  // guards what the dispatcher has to look at
  base::CondVar signal_;
  std::vector<store::EventRecord> fresh_ WATTMINT_GUARDED_BY(signal_mutex_);
  std::int64_t reset_to_ WATTMINT_GUARDED_BY(signal_mutex_) = -1;  // not below 0: wake everybody
  bool stopping_ WATTMINT_GUARDED_BY(signal_mutex_) = false;
  std::thread dispatcher_;
};

}  // namespace wattmint::stream
