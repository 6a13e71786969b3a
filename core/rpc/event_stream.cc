// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_stream.h"

#include "core/base/status.h"
#include "core/rpc/status_convert.h"

#include <chrono>
#include <utility>

namespace wattmint::rpc {
namespace {

// Looks at the log that one stream takes before another one has its turn.
constexpr int kStepsMax = 16;

class RefusedStream final : public EventReactor {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

StreamTerms TermsOf(const EventStreamPlace& place, v1::EventFilter filter) {
  const auto heartbeat =
      std::chrono::duration_cast<std::chrono::seconds>(place.feed_options.heartbeat);
  return {std::move(filter), static_cast<int>(place.feed_options.batch_events_max),
          static_cast<int>(heartbeat.count())};
}

}  // namespace

EventReactor* EventStream::Refuse(const absl::Status& status) { return new RefusedStream(status); }

EventReactor* EventStream::Start(const EventStreamPlace& place,
                                 grpc::CallbackServerContext* context, stream::FeedRequest request,
                                 v1::EventFilter filter) {
  auto stream =
      std::make_shared<EventStream>(place, context, std::move(request), std::move(filter));
  if (absl::Status status = place.streams.Add(stream); !status.ok()) return Refuse(status);
  stream->self_ = stream;
  stream->StartSendInitialMetadata();
  stream->PostWork();
  return stream.get();
}

EventStream::EventStream(const EventStreamPlace& place, grpc::CallbackServerContext* context,
                         stream::FeedRequest request, v1::EventFilter filter)
    : place_(place),
      context_(context),
      key_id_(request.principal.key_id),
      terms_(TermsOf(place, std::move(filter))),
      request_(std::move(request)) {}

void EventStream::OnWriteDone(bool ok) {
  {
    base::MutexLock lock(mutex_);
    state_ = State::kWorking;
    if (!ok) is_cancelled_ = true;
  }
  PostWork();
}

void EventStream::OnCancel() {
  {
    base::MutexLock lock(mutex_);
    is_cancelled_ = true;
  }
  Kick();
}

void EventStream::OnDone() {
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
  if (key_id_.empty() || key_id != key_id_) return;
  {
    base::MutexLock lock(mutex_);
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
  place_.pool.Post([stream = shared_from_this()] { stream->Work(); });
}

void EventStream::Work() {
  if (feed_ == nullptr && !Open()) return;
  for (int i = 0; i < kStepsMax; ++i) {
    if (!TellNews()) return End(base::Cancelled("the client has left"));
    const stream::Feed::Step step = feed_->Next();
    if (const auto* message = std::get_if<stream::Feed::Message>(&step)) return Write(*message);
    if (const auto* end = std::get_if<stream::Feed::End>(&step)) return End(end->why);
    if (std::holds_alternative<stream::Feed::Wait>(step) && GoIdle()) return;
  }
  PostWork();
}

bool EventStream::Open() {
  auto feed = stream::Feed::Open(place_.sources, place_.feed_options, *std::move(request_),
                                 [this] { Kick(); });
  request_.reset();
  if (!feed.ok()) {
    End(feed.status());
    return false;
  }
  feed_ = *std::move(feed);
  return true;
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

void EventStream::Write(const stream::Feed::Message& message) {
  buffer_ = Encode(message, terms_, place_.frames);
  {
    base::MutexLock lock(mutex_);
    state_ = State::kWriting;
    write_start_ = place_.sources.clock.Steady();
  }
  StartWrite(&buffer_);
}

// False if something has happened meanwhile.
bool EventStream::GoIdle() {
  base::MutexLock lock(mutex_);
  if (is_kicked_) return false;
  due_ = feed_->due();
  state_ = State::kIdle;
  return true;
}

void EventStream::End(const absl::Status& why) {
  {
    base::MutexLock lock(mutex_);
    state_ = State::kEnded;
  }
  // Not under the mutex: a waker that is under way wants it, and the feed's end waits for that.
  feed_.reset();
  Finish(ToGrpc(why));
}

}  // namespace wattmint::rpc
