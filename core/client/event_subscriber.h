// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/backoff.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/client/channel.h"
#include "core/client/event_frame.h"

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>

namespace wattmint::client {

// What an EventSubscriber tells. All calls come from its one thread, in order. A call that takes
// long slows down this stream alone: the server feeds it from the log.
class EventListener {
 public:
  virtual ~EventListener() = default;
  // Connected, at first or again.
  virtual void OnEstablished(const v1::Established& /*established*/) {}
  // Events in order, each exactly once whatever was lost in between. Views: valid in the call only.
  virtual void OnEvents(std::span<const RawEvent> events) = 0;
  // Events that the server sent although everything up to them was handed over. It breaks its
  // promise by that; nothing has to be done about it.
  virtual void OnRepeated(std::span<const RawEvent> /*events*/) {}
  // Everything up to `delivered_sequence` that matches was handed over.
  virtual void OnHeartbeat(std::int64_t /*head_sequence*/, std::int64_t /*delivered_sequence*/) {}
  virtual void OnCaughtUp() {}
  virtual void OnFellBehind() {}
  // The connection is gone; the next attempt is after `retry_in`.
  virtual void OnLost(const absl::Status& /*why*/, base::Duration /*retry_in*/) {}
  // There will be no more attempts: the server refuses this subscription. Not called by Stop().
  virtual void OnStopped(const absl::Status& /*why*/) {}
};

// Where a stream is, to go on from.
struct StreamPosition {
  std::string epoch;               // empty before the first Established
  std::string cursor;              // the newest one
  std::int64_t last_sequence = 0;  // of the last event handed over
  std::int64_t head_sequence = 0;  // of the log, as far as the server told
};

// Follows the core's event stream for ever: connects again with full jitter, goes on from its
// newest cursor and last sequence, and so hands over each event exactly once.
//
// Threads: Stop() and position() from any; one of its own. Lifetime: the listener must outlive it.
class EventSubscriber {
 public:
  struct Options {
    Credential credential;
    // Which events, and where to begin.
    v1::SubscribeRequest request;
    base::BackoffOptions backoff;
    // Without any message for so long the connection counts as lost. Source: three heartbeats.
    base::Duration silence_max = std::chrono::seconds(45);
  };

  EventSubscriber(std::shared_ptr<grpc::Channel> channel, Options options, EventListener& listener);
  // Stops.
  ~EventSubscriber();
  EventSubscriber(const EventSubscriber&) = delete;
  EventSubscriber& operator=(const EventSubscriber&) = delete;

  // Call once.
  void Start();
  // No call to the listener is made after it returned. From any thread but the subscriber's own.
  void Stop() WATTMINT_EXCLUDES(mutex_);
  StreamPosition position() const WATTMINT_EXCLUDES(mutex_);

 private:
  class Call;

  void Run();
  absl::Status FollowOnce();
  absl::Status Handle(std::string_view bytes);
  void HandleEvents(std::span<const RawEvent> events);
  void HandleControl(const v1::SubscribeResponse& message);
  v1::SubscribeRequest MakeRequest() const;
  void KeepCursor(const std::string& cursor, std::int64_t head_sequence);
  base::Duration DelayAfter(const absl::Status& why);
  bool WaitUnlessStopped(base::Duration delay);

  const std::shared_ptr<grpc::Channel> channel_;  // shared: with other users of the channel
  const Options options_;
  EventListener& listener_;
  base::SystemRandom random_;

  // Its own thread only.
  int failures_ = 0;
  base::Duration drain_delay_{};

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar stopped_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  Call* call_ WATTMINT_GUARDED_BY(mutex_) = nullptr;
  StreamPosition position_ WATTMINT_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace wattmint::client
