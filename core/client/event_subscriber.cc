// SPDX-License-Identifier: Apache-2.0
#include "core/client/event_subscriber.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <absl/cleanup/cleanup.h>
#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace wattmint::client {
namespace {

constexpr char kMethod[] = "/wattmint.v1.EventService/Subscribe";
constexpr base::Duration kConnectTimeout = std::chrono::seconds(20);

std::string_view ViewOf(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

// One stream, read step by step: each step waits for its own completion. Threads: one; Cancel()
// from any.
class EventSubscriber::Call {
 public:
  Call(const std::shared_ptr<grpc::Channel>& channel, const Credential& credential)
      : stub_(channel) {
    Attach(credential, context_);
    stream_ = stub_.PrepareCall(&context_, kMethod, &queue_);
  }
  // Whatever was begun must have completed before the queue may go.
  ~Call() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Cancel() { context_.TryCancel(); }

  bool Start(const v1::SubscribeRequest& request) {
    stream_->StartCall(this);
    if (!WaitFor(kConnectTimeout)) return false;
    const grpc::Slice slice(request.SerializeAsString());
    stream_->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), this);
    return WaitFor(kConnectTimeout);
  }

  // The bytes of the next message; false at the end of the stream. Valid until the next call.
  bool Read(base::Duration timeout, std::string_view& bytes) {
    stream_->Read(&buffer_, this);
    if (!WaitFor(timeout)) return false;
    if (!buffer_.TrySingleSlice(&slice_).ok() && !buffer_.DumpToSingleSlice(&slice_).ok()) {
      return false;
    }
    bytes = ViewOf(slice_);
    return true;
  }

  absl::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, this);
    WaitFor(kConnectTimeout);
    if (is_silent_) return base::Unavailable("the server has not said anything for too long");
    // A server that ends the stream without an error has no reason of its own.
    return status.ok() ? base::Unavailable("the server ended the stream") : FromGrpc(status);
  }

 private:
  bool WaitFor(base::Duration timeout) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + timeout;
    if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::TIMEOUT) {
      is_silent_ = true;
      context_.TryCancel();
      queue_.Next(&tag, &ok);
      return false;
    }
    return ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer buffer_;
  grpc::Slice slice_;
  bool is_silent_ = false;
};

EventSubscriber::EventSubscriber(std::shared_ptr<grpc::Channel> channel, Options options,
                                 EventListener& listener)
    : channel_(std::move(channel)), options_(std::move(options)), listener_(listener) {
  position_.cursor = options_.request.cursor();
  position_.last_sequence = options_.request.last_sequence();
}

EventSubscriber::~EventSubscriber() { Stop(); }

void EventSubscriber::Start() {
  WATTMINT_ASSERT(!thread_.joinable(), "a subscriber is started once");
  thread_ = std::thread([this] { Run(); });
}

void EventSubscriber::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    if (call_ != nullptr) call_->Cancel();
    stopped_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

StreamPosition EventSubscriber::position() const {
  base::MutexLock lock(mutex_);
  return position_;
}

void EventSubscriber::Run() {
  for (;;) {
    const absl::Status why = FollowOnce();
    if (!WaitUnlessStopped(base::Duration::zero())) return;
    if (!IsTransient(why)) {
      listener_.OnStopped(why);
      return;
    }
    const base::Duration delay = DelayAfter(why);
    listener_.OnLost(why, delay);
    if (!WaitUnlessStopped(delay)) return;
  }
}

absl::Status EventSubscriber::FollowOnce() {
  Call call(channel_, options_.credential);
  {
    base::MutexLock lock(mutex_);
    if (stopping_) return base::Cancelled("stopped");
    call_ = &call;
  }
  const auto forget = absl::MakeCleanup([this] {
    base::MutexLock lock(mutex_);
    call_ = nullptr;
  });
  if (!call.Start(MakeRequest())) return call.Finish();
  std::string_view bytes;
  while (call.Read(options_.silence_max, bytes)) {
    if (absl::Status status = Handle(bytes); !status.ok()) {
      call.Cancel();
      call.Finish().IgnoreError();
      return status;
    }
  }
  return call.Finish();
}

v1::SubscribeRequest EventSubscriber::MakeRequest() const {
  v1::SubscribeRequest request = options_.request;
  const StreamPosition from = position();
  if (!from.cursor.empty()) {
    request.set_cursor(from.cursor);
    request.set_last_sequence(from.last_sequence);
  }
  return request;
}

absl::Status EventSubscriber::Handle(std::string_view bytes) {
  // Bytes that make no sense can make more on another connection: not permanent.
  absl::StatusOr<EventFrame> frame = ParseEventFrame(bytes);
  if (!frame.ok()) return base::Unavailable("{}", base::Message(frame.status()));
  if (frame->events.empty()) {
    HandleControl(frame->control);
  } else {
    HandleEvents(frame->events);
  }
  return absl::OkStatus();
}

void EventSubscriber::HandleEvents(std::span<const RawEvent> events) {
  const std::int64_t last = position().last_sequence;
  const auto fresh = std::find_if(events.begin(), events.end(),
                                  [last](const RawEvent& event) { return event.sequence > last; });
  if (fresh != events.begin()) listener_.OnRepeated({events.begin(), fresh});
  if (fresh == events.end()) return;
  listener_.OnEvents({fresh, events.end()});
  base::MutexLock lock(mutex_);
  position_.last_sequence = events.back().sequence;
  position_.head_sequence = std::max(position_.head_sequence, position_.last_sequence);
}

void EventSubscriber::HandleControl(const v1::SubscribeResponse& message) {
  switch (message.message_case()) {
    case v1::SubscribeResponse::kEstablished: {
      const v1::Established& established = message.established();
      failures_ = 0;
      {
        base::MutexLock lock(mutex_);
        position_.epoch = established.epoch();
      }
      KeepCursor(established.cursor(), established.head_sequence());
      return listener_.OnEstablished(established);
    }
    case v1::SubscribeResponse::kHeartbeat: {
      const v1::Heartbeat& beat = message.heartbeat();
      KeepCursor(beat.cursor(), beat.head_sequence());
      return listener_.OnHeartbeat(beat.head_sequence(), beat.delivered_sequence());
    }
    case v1::SubscribeResponse::kCaughtUp:
      KeepCursor(message.caught_up().cursor(), 0);
      return listener_.OnCaughtUp();
    case v1::SubscribeResponse::kFellBehind:
      KeepCursor("", message.fell_behind().head_sequence());
      return listener_.OnFellBehind();
    case v1::SubscribeResponse::kDraining:
      KeepCursor(message.draining().cursor(), 0);
      drain_delay_ = std::chrono::milliseconds(message.draining().reconnect_after_ms());
      return;
    default:
      return;  // news of a later version
  }
}

void EventSubscriber::KeepCursor(const std::string& cursor, std::int64_t head_sequence) {
  base::MutexLock lock(mutex_);
  if (!cursor.empty()) position_.cursor = cursor;
  position_.head_sequence = std::max(position_.head_sequence, head_sequence);
}

base::Duration EventSubscriber::DelayAfter(const absl::Status& why) {
  const base::Duration drain = std::exchange(drain_delay_, base::Duration::zero());
  if (drain > base::Duration::zero()) return drain;
  return RetryDelay(why, options_.backoff, ++failures_, random_);
}

bool EventSubscriber::WaitUnlessStopped(base::Duration delay) {
  base::MutexLock lock(mutex_);
  return !stopped_.WaitFor(mutex_, delay, [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
}

}  // namespace wattmint::client
