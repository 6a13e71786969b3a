// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/domain/event.h"
#include "core/store/event_log.h"
#include "core/store/transaction.h"

#include "absl/status/status.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::store {

// Serialises a fact as the payload of an event: a wattmint.v1.Event without its sequence.
using EventEncoder = std::function<std::string(domain::Time, const domain::Fact&)>;

// What one WriteOp sees of the transaction that it is part of.
class WriteContext {
 public:
  // `event_time`: what is written into events.
  WriteContext(Transaction& transaction, domain::Time now, domain::Time event_time,
               const EventEncoder& encoder);
  Transaction& transaction() { return transaction_; }
  // One time for the whole transaction.
  domain::Time now() const { return now_; }
  // Appends an event; it is published after the commit.
  absl::Status Append(const domain::Fact& fact);
  // Of the last event that was appended. REQUIRES: one was.
  std::int64_t last_sequence() const { return events_.back().sequence; }
  std::vector<EventRecord> TakeEvents() { return std::move(events_); }

 private:
  Transaction& transaction_;
  const domain::Time now_;
  const domain::Time event_time_;
  const EventEncoder& encoder_;
  std::vector<EventRecord> events_;
};

// A change of the database, made whole or not at all.
class WriteOp {
 public:
  virtual ~WriteOp() = default;
  // Runs on the writer's thread. An error refuses the op alone and REQUIRES that nothing was
  // written, unless it is the transaction's own error.
  virtual absl::Status Apply(WriteContext& context) = 0;
  // Called exactly once, on the acknowledger's thread: OK after the change is durable and
  // published; the error of Apply(); or kUnavailable when the outcome is unknown or the database
  // cannot be opened. Within Submit() already: kUnavailable when the queue has stopped,
  // kResourceExhausted when too much waits. Must not block.
  virtual void Done(const absl::Status& status) = 0;
  // Rows that it writes, about; bounds one commit.
  virtual std::size_t weight() const { return 1; }
};

// The only way to change the database: one writer; whatever has accumulated becomes one transaction
// (group commit), acknowledged after it is durable, and its events are published in order before
// that.
//
// When a transaction breaks, every op in it is answered kUnavailable (the outcome is unknown), the
// database is reopened (again and again until that works, and whatever is submitted meanwhile is
// answered kUnavailable too), OnReopen() lets caches be loaded anew, and work goes on.
// Threads: Submit() from any. Lifetime: the destructor stops.
class CommitQueue {
 public:
  struct Options {
    std::size_t weight_max = 8'192;       // rows in one commit; measured: more is not faster
    std::size_t backlog_max = 1'000'000;  // rows that may wait; more are refused kResourceExhausted
    base::Duration reopen_delay = std::chrono::milliseconds(200);
    domain::Time event_time_min{};  // that of the last event
  };
  CommitQueue(Journal& journal, EventLog& log, EventSink& sink, base::Clock& clock,
              EventEncoder encoder, Options options);
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  // Runs on the writer's thread after the database was reopened. REQUIRES: before the first
  // Submit().
  void OnReopen(std::function<absl::Status()> reload);
  void Submit(std::unique_ptr<WriteOp> op);
  // Finishes what was submitted, then refuses more. Blocks.
  void Stop();

 private:
  struct Finished {
    std::unique_ptr<WriteOp> op;
    absl::Status status;
  };
  struct Settled {
    std::vector<Finished> ops;
    std::vector<EventRecord> events;
    std::int64_t reset_to = -1;  // not below 0: the sink is reset first
  };
  using Batch = std::vector<std::unique_ptr<WriteOp>>;

  void WriteLoop();
  void AcknowledgeLoop();
  Batch TakeBatch();
  Settled Write(Batch batch);
  absl::Status Apply(Settled& settled);
  void Recover(Settled& settled);
  void RefuseWaiting(Settled& settled);
  void Settle(Settled settled);

  Journal& journal_;
  EventLog& log_;
  EventSink& sink_;
  base::Clock& clock_;
  const EventEncoder encoder_;
  const Options options_;
  std::vector<std::function<absl::Status()>> reloads_;
  // Of the newest transaction: it never decreases, also when the clock is set back, so that events
  // can be found by their time. On the writer's thread.
  domain::Time event_time_;

  base::Mutex mutex_;  // guards what waits to be written
  base::CondVar wake_;
  std::deque<std::unique_ptr<WriteOp>> waiting_ WATTMINT_GUARDED_BY(mutex_);
  std::size_t waiting_weight_ WATTMINT_GUARDED_BY(mutex_) = 0;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;

  base::Mutex settled_mutex_;  // guards what waits to be acknowledged; never held with mutex_
  base::CondVar settled_wake_;
  std::deque<Settled> settled_ WATTMINT_GUARDED_BY(settled_mutex_);
  bool writer_ended_ WATTMINT_GUARDED_BY(settled_mutex_) = false;

  std::thread writer_;
  std::thread acknowledger_;
};

}  // namespace wattmint::store
