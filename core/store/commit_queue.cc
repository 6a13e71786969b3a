// SPDX-License-Identifier: Apache-2.0
#include "core/store/commit_queue.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <utility>

namespace wattmint::store {

WriteContext::WriteContext(Transaction& transaction, domain::Time now, domain::Time event_time,
                           const EventEncoder& encoder)
    : transaction_(transaction), now_(now), event_time_(event_time), encoder_(encoder) {}

absl::Status WriteContext::Append(const domain::Fact& fact) {
  auto body = std::make_shared<EventRecord::Body>();
  body->payload = encoder_(event_time_, fact);
  body->attributes = domain::AttributesOf(fact);
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t sequence, transaction_.AppendEvent(body->payload));
  events_.push_back({sequence, std::move(body)});
  return absl::OkStatus();
}

CommitQueue::CommitQueue(Journal& journal, EventLog& log, EventSink& sink, base::Clock& clock,
                         EventEncoder encoder, Options options)
    : journal_(journal),
      log_(log),
      sink_(sink),
      clock_(clock),
      encoder_(std::move(encoder)),
      options_(options),
      event_time_(options.event_time_min),
      writer_([this] { WriteLoop(); }),
      acknowledger_([this] { AcknowledgeLoop(); }) {}

CommitQueue::~CommitQueue() { Stop(); }

void CommitQueue::OnReopen(std::function<absl::Status()> reload) {
  base::MutexLock lock(mutex_);
  reloads_.push_back(std::move(reload));
}

void CommitQueue::Submit(std::unique_ptr<WriteOp> op) {
  const std::size_t weight = op->weight();
  absl::Status refusal;
  {
    base::MutexLock lock(mutex_);
    if (stopping_) {
      refusal = base::Unavailable("the server is stopping; submit again later");
    } else if (waiting_weight_ + weight > options_.backlog_max) {
      refusal = base::ResourceExhausted("{} rows wait to be written; submit again later",
                                        waiting_weight_);
    } else {
      waiting_weight_ += weight;
      waiting_.push_back(std::move(op));
      wake_.NotifyOne();
      return;
    }
  }
  op->Done(refusal);
}

void CommitQueue::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  if (writer_.joinable()) writer_.join();
  {
    base::MutexLock lock(settled_mutex_);
    writer_ended_ = true;
    settled_wake_.NotifyOne();
  }
  if (acknowledger_.joinable()) acknowledger_.join();
}

void CommitQueue::WriteLoop() {
  for (;;) {
    Batch batch = TakeBatch();
    if (batch.empty()) return;
    Settle(Write(std::move(batch)));
  }
}

CommitQueue::Batch CommitQueue::TakeBatch() {
  base::MutexLock lock(mutex_);
  wake_.Wait(mutex_, [this]() WATTMINT_REQUIRES(mutex_) { return stopping_ || !waiting_.empty(); });
  Batch batch;
  for (std::size_t weight = 0; !waiting_.empty() && weight < options_.weight_max;) {
    weight += waiting_.front()->weight();
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  for (const auto& op : batch) waiting_weight_ -= op->weight();
  return batch;
}

CommitQueue::Settled CommitQueue::Write(Batch batch) {
  Settled settled;
  settled.ops.reserve(batch.size());
  for (auto& op : batch) settled.ops.push_back({std::move(op), absl::OkStatus()});
  const absl::Status broken = Apply(settled);
  if (broken.ok()) return settled;
  // The commit may have happened all the same, so nobody is told that nothing was stored.
  const absl::Status unknown = base::Unavailable(
      "the outcome is unknown ({}); submit the same again", base::Message(broken));
  for (Finished& finished : settled.ops) finished.status = unknown;
  settled.events.clear();
  Recover(settled);
  return settled;
}

absl::Status CommitQueue::Apply(Settled& settled) {
  WATTMINT_ASSIGN_OR_RETURN(const std::unique_ptr<Transaction> transaction, journal_.Begin());
  const domain::Time now = clock_.Now();
  event_time_ = std::max(event_time_, now);
  WriteContext context(*transaction, now, event_time_, encoder_);
  for (Finished& finished : settled.ops) {
    finished.status = finished.op->Apply(context);
    if (transaction->IsBroken()) {
      WATTMINT_ASSERT(!finished.status.ok(), "an op hid that its transaction broke");
      return finished.status;
    }
  }
  WATTMINT_RETURN_IF_ERROR(transaction->Commit());
  settled.events = context.TakeEvents();
  return absl::OkStatus();
}

// Nobody is kept waiting for a disk that is away: calls would never end, nor the server.
void CommitQueue::Recover(Settled& settled) {
  for (;;) {
    absl::Status status = journal_.Reopen();
    for (std::size_t i = 0; status.ok() && i < reloads_.size(); ++i) status = reloads_[i]();
    if (status.ok()) {
      if (const auto bounds = log_.GetBounds(); bounds.ok()) {
        settled.reset_to = bounds->last;
        return;
      }
    }
    RefuseWaiting(settled);
    Settle(std::exchange(settled, {}));
    base::MutexLock lock(mutex_);
    const bool stopping = wake_.WaitFor(mutex_, options_.reopen_delay,
                                        [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
    if (stopping) return;
  }
}

void CommitQueue::RefuseWaiting(Settled& settled) {
  base::MutexLock lock(mutex_);
  for (auto& op : waiting_) {
    settled.ops.push_back(
        {std::move(op), base::Unavailable("the database cannot be opened; submit again later")});
  }
  waiting_.clear();
  waiting_weight_ = 0;
}

void CommitQueue::Settle(Settled settled) {
  base::MutexLock lock(settled_mutex_);
  settled_.push_back(std::move(settled));
  settled_wake_.NotifyOne();
}

void CommitQueue::AcknowledgeLoop() {
  for (;;) {
    Settled settled;
    {
      base::MutexLock lock(settled_mutex_);
      settled_wake_.Wait(settled_mutex_, [this]() WATTMINT_REQUIRES(settled_mutex_) {
        return writer_ended_ || !settled_.empty();
      });
      if (settled_.empty()) return;
      settled = std::move(settled_.front());
      settled_.pop_front();
    }
    if (settled.reset_to >= 0) sink_.Reset(settled.reset_to);
    if (!settled.events.empty()) sink_.Publish(std::move(settled.events));
    for (Finished& finished : settled.ops) finished.op->Done(finished.status);
  }
}

}  // namespace wattmint::store
