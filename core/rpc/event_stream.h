// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/base/thread_pool.h"
#include "core/rpc/event_messages.h"
#include "core/rpc/live_streams.h"
#include "core/stream/feed.h"
#include "core/stream/frame_cache.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace wattmint::rpc {

using EventReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// What all event streams of a server share. Everything must outlive every stream.
struct EventStreamPlace {
  stream::Feed::Sources sources;
  stream::FeedOptions feed_options;
  const stream::FrameCache& frames;
  LiveStreams& streams;
  base::ThreadPool& pool;  // where logs are read and messages are made
  base::Duration stalled_write_max;
};

// One call of Subscribe: writes what its Feed says, one write at a time.
//
// Threads: the pool's for the feed, gRPC's for what was written, any for LiveStream. Whoever moves
// the state from idle to working goes on; everybody else leaves a note (is_kicked_).
// Lifetime: keeps itself until gRPC says OnDone().
class EventStream final : public EventReactor,
                          public LiveStream,
                          public std::enable_shared_from_this<EventStream> {
 public:
  // The reactor of the call; one that ends at once if there is no room.
  static EventReactor* Start(const EventStreamPlace& place, grpc::CallbackServerContext* context,
                             stream::FeedRequest request, v1::EventFilter filter);
  // A reactor that ends at once.
  static EventReactor* Refuse(const absl::Status& status);

  EventStream(const EventStreamPlace& place, grpc::CallbackServerContext* context,
              stream::FeedRequest request, v1::EventFilter filter);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void OnTick(std::chrono::steady_clock::time_point now) override;
  void OnKeyChanged(std::string_view key_id) override;
  void OnDrain(base::Duration reconnect_after) override;
  void Cancel() override;

 private:
  enum class State { kIdle, kWorking, kWriting, kEnded };

  void Kick() WATTMINT_EXCLUDES(mutex_);
  void PostWork();
  void Work();
  bool Open();
  bool TellNews() WATTMINT_EXCLUDES(mutex_);
  void Write(const stream::Feed::Message& message) WATTMINT_EXCLUDES(mutex_);
  bool GoIdle() WATTMINT_EXCLUDES(mutex_);
  void End(const absl::Status& why) WATTMINT_EXCLUDES(mutex_);

  const EventStreamPlace& place_;
  grpc::CallbackServerContext* const context_;
  const std::string key_id_;
  const StreamTerms terms_;
  std::shared_ptr<EventStream> self_;  // shared: with LiveStreams and with posted work

  // Only while working.
  std::optional<stream::FeedRequest> request_;
  std::unique_ptr<stream::Feed> feed_;

  grpc::ByteBuffer buffer_;  // while writing: gRPC's

  base::Mutex mutex_;  // guards all below
  State state_ WATTMINT_GUARDED_BY(mutex_) = State::kWorking;
  bool is_kicked_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_cancelled_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool must_recheck_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::optional<base::Duration> drain_after_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point due_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point write_start_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::rpc
