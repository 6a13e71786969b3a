// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_stream.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/rpc/status_convert.h"

#include <chrono>
#include <utility>

namespace wattmint::rpc {
namespace {

// Looks at the log that one stream takes before another one has its turn.
constexpr int kStepsMax = 16;
constexpr int kStepsOfGrpcMax = 2;  // there, calls wait for their turn
// How often a stream that has not begun is looked at.
constexpr base::Duration kStartLook = std::chrono::seconds(1);

}  // namespace

EventStream::EventStream(const EventStreamPlace& place, grpc::CallbackServerContext* context)
    : place_(place), context_(context), start_(place.sources.clock.Steady()) {
  const auto heartbeat =
      std::chrono::duration_cast<std::chrono::seconds>(place.feed_options.heartbeat);
  terms_.set_max_batch_events(static_cast<std::int32_t>(place.feed_options.batch_events_max));
  terms_.set_heartbeat_seconds(static_cast<std::int32_t>(heartbeat.count()));
}

absl::Status EventStream::Begin(std::string_view method, const access::Principal& principal) {
  const absl::StatusOr<std::int64_t> number = place_.streams.Add(shared_from_this(), principal);
  if (!number.ok()) {
    place_.audit.Refused(method, &principal, number.status());
    return number.status();
  }
  self_ = shared_from_this();
  number_ = *number;
  place_.audit.StreamOpened(number_, method, principal);
  return absl::OkStatus();
}

void EventStream::Written(bool ok) {
  {
    base::MutexLock lock(mutex_);
    state_ = State::kWorking;
    if (!ok) is_cancelled_ = true;
  }
  // What is in memory is written at once: a change of threads costs as much as a small message.
  if (feed_ != nullptr && feed_->IsInMemory()) {
    Work(Thread::kOfGrpc);
  } else {
    PostWork();
  }
}

void EventStream::Cancelled() {
  {
    base::MutexLock lock(mutex_);
    is_cancelled_ = true;
  }
  Kick();
}

void EventStream::Done() {
  absl::Status why;
  {
    base::MutexLock lock(mutex_);
    why = end_;
  }
  const auto length = place_.sources.clock.Steady() - start_;
  place_.audit.StreamEnded(number_, std::chrono::duration_cast<base::Duration>(length), why);
  place_.streams.Remove(this);
  self_.reset();
}

void EventStream::OnTick(std::chrono::steady_clock::time_point now) {
  bool is_due = false;
  {
    base::MutexLock lock(mutex_);
    is_due = state_ == State::kIdle && now >= due_;
    // A write that is under way keeps the call alive, and its end waits for the mutex.
    if (state_ == State::kWriting && now - write_start_ > place_.stalled_write_max) {
      context_->TryCancel();
    }
  }
  if (is_due) Kick();
}

void EventStream::OnKeyChanged(std::string_view key_id) {
  {
    base::MutexLock lock(mutex_);
    if (key_id != key_id_) return;
    must_recheck_ = true;
  }
  Kick();
}

void EventStream::OnDrain(base::Duration reconnect_after) {
  {
    base::MutexLock lock(mutex_);
    drain_after_ = reconnect_after;
  }
  Kick();
}

void EventStream::Cancel() {
  {
    base::MutexLock lock(mutex_);
    is_cancelled_ = true;
    if (state_ == State::kWriting) context_->TryCancel();
  }
  Kick();
}

void EventStream::Kick() {
  {
    base::MutexLock lock(mutex_);
    if (state_ != State::kIdle) {
      is_kicked_ = true;
      return;
    }
    state_ = State::kWorking;
  }
  PostWork();
}

void EventStream::PostWork() {
  place_.pool.Post([stream = shared_from_this()] { stream->Work(Thread::kOfPool); });
}

// On a thread of gRPC: only when the feed is in memory.
void EventStream::Work(Thread thread) {
  if (feed_ == nullptr && !Open()) return;
  const int steps_max = thread == Thread::kOfGrpc ? kStepsOfGrpcMax : kStepsMax;
  for (int i = 0; i < steps_max; ++i) {
    if (thread == Thread::kOfGrpc && i > 0 && !feed_->IsInMemory()) break;
    if (!TellNews()) return End(base::Cancelled("the client has left"));
    if (feed_->is_established()) {
      if (const auto answer = NextAnswer(*feed_)) {
        KeepKey(feed_->principal().key_id);
        return Write(*answer);
      }
    }
    const stream::Feed::Step step = feed_->Next();
    if (const auto* message = std::get_if<stream::Feed::Message>(&step)) return Write(*message);
    if (const auto* end = std::get_if<stream::Feed::End>(&step)) return End(end->why);
    if (std::holds_alternative<stream::Feed::Wait>(step) && GoIdle(feed_->due())) return;
  }
  PostWork();
}

// False if there is nothing to work on yet, or any more.
bool EventStream::Open() {
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      is_kicked_ = false;
      if (is_cancelled_ || drain_after_.has_value()) break;
    }
    auto request = TakeRequest();
    if (!request.ok()) {
      End(request.status());
      return false;
    }
    if (!request->has_value()) {
      if (GoIdle(place_.sources.clock.Steady() + kStartLook)) return false;
      continue;
    }
    KeepKey((*request)->principal.key_id);
    place_.audit.Subscribed(number_, (*request)->filters);
    auto feed = stream::Feed::Open(place_.sources, place_.feed_options, **std::move(request),
                                   [this] { Kick(); });
    if (!feed.ok()) {
      End(feed.status());
      return false;
    }
    feed_ = *std::move(feed);
    return true;
  }
  End(IsDraining());
  return false;
}

// False if nobody listens any more.
bool EventStream::TellNews() {
  base::MutexLock lock(mutex_);
  if (is_cancelled_) return false;
  is_kicked_ = false;
  if (std::exchange(must_recheck_, false)) feed_->RecheckCredential();
  if (drain_after_.has_value()) feed_->Drain(*drain_after_);
  return true;
}

void EventStream::KeepKey(std::string key_id) {
  base::MutexLock lock(mutex_);
  key_id_ = std::move(key_id);
}

void EventStream::Write(const stream::Feed::Message& message) {
  buffer_ = Encode(message, terms_, place_.frames);
  {
    base::MutexLock lock(mutex_);
    state_ = State::kWriting;
    write_start_ = place_.sources.clock.Steady();
  }
  WriteBytes(&buffer_);
}

// False if something has happened meanwhile.
bool EventStream::GoIdle(std::chrono::steady_clock::time_point due) {
  base::MutexLock lock(mutex_);
  if (is_kicked_) return false;
  due_ = due;
  state_ = State::kIdle;
  return true;
}

void EventStream::End(const absl::Status& why) {
  {
    base::MutexLock lock(mutex_);
    state_ = State::kEnded;
    end_ = why;
  }
  // Not under the mutex: a waker that is under way wants it, and the feed's end waits for that.
  feed_.reset();
  FinishCall(ToGrpc(why));
}

}  // namespace wattmint::rpc
