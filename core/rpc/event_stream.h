// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/audit_log.h"
#include "core/access/user_limiter.h"
#include "core/base/mutex.h"
#include "core/base/thread_pool.h"
#include "core/rpc/event_messages.h"
#include "core/rpc/live_streams.h"
#include "core/stream/feed.h"
#include "core/stream/frame_cache.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace wattmint::rpc {

// What all event streams of a server share. Everything must outlive every stream.
struct EventStreamPlace {
  stream::Feed::Sources sources;
  stream::FeedOptions feed_options;
  const stream::FrameCache& frames;
  LiveStreams& streams;
  access::AuditLog& audit;
  access::UserLimiter& limiter;  // of changes that clients ask for on their streams
  base::ThreadPool& pool;        // where logs are read and messages are made
  base::Duration stalled_write_max;
};

// One event stream, however its call is made: writes what its Feed says, one write at a time.
//
// Threads: the pool's for the feed, gRPC's for what was written and for what is to be written from
// memory, any for LiveStream. Whoever moves the state from idle to working goes on; everybody else
// leaves a note (is_kicked_).
// Lifetime: keeps itself from Begin() until the call says Done().
class EventStream : public LiveStream, public std::enable_shared_from_this<EventStream> {
 public:
  void OnTick(std::chrono::steady_clock::time_point now) override;
  void OnKeyChanged(std::string_view key_id) override;
  void OnDrain(base::Duration reconnect_after) override;
  void Cancel() override;

 protected:
  EventStream(const EventStreamPlace& place, grpc::CallbackServerContext* context);

  // Counts as open from here on. Errors: those of LiveStreams::Add(); then the call is over.
  absl::Status Begin(std::string_view method, const access::Principal& principal);
  // Begins to work. Call once, when the call itself is ready to be written.
  void Run() { PostWork(); }
  // What the call is told.
  void Written(bool ok) WATTMINT_EXCLUDES(mutex_);
  void Cancelled() WATTMINT_EXCLUDES(mutex_);
  void Done();
  // There is something to look at: TakeRequest() or NextAnswer().
  void Kick() WATTMINT_EXCLUDES(mutex_);

  // The call. One write at a time; nothing after Finish().
  virtual void WriteBytes(grpc::ByteBuffer* bytes) = 0;
  virtual void FinishCall(const grpc::Status& status) = 0;
  // What is asked for, once; nothing: not yet, ask again when kicked or ticked. An error ends the
  // stream.
  virtual absl::StatusOr<std::optional<stream::FeedRequest>> TakeRequest() = 0;
  // An answer to what the client said on the stream, if it said something.
  virtual std::optional<stream::Feed::Message> NextAnswer(stream::Feed& /*feed*/) {
    return std::nullopt;
  }

  const EventStreamPlace& place() const { return place_; }
  // In the audit log.
  std::int64_t number() const { return number_; }
  // Only before the stream is open, or while working.
  v1::Established& terms() { return terms_; }

 private:
  enum class State { kIdle, kWorking, kWriting, kEnded };

  enum class Thread { kOfPool, kOfGrpc };

  void PostWork();
  // On a thread of gRPC, of which there are only two, nothing is read from disk.
  void Work(Thread thread);
  bool Open() WATTMINT_EXCLUDES(mutex_);
  bool TellNews() WATTMINT_EXCLUDES(mutex_);
  void KeepKey(std::string key_id) WATTMINT_EXCLUDES(mutex_);
  void Write(const stream::Feed::Message& message) WATTMINT_EXCLUDES(mutex_);
  bool GoIdle(std::chrono::steady_clock::time_point due) WATTMINT_EXCLUDES(mutex_);
  void End(const absl::Status& why) WATTMINT_EXCLUDES(mutex_);

  const EventStreamPlace& place_;
  grpc::CallbackServerContext* const context_;
  v1::Established terms_;
  std::shared_ptr<EventStream> self_;  // shared: with LiveStreams and with posted work
  std::int64_t number_ = 0;            // set by Begin()
  const std::chrono::steady_clock::time_point start_;

  std::unique_ptr<stream::Feed> feed_;  // only while working

  grpc::ByteBuffer buffer_;  // while writing: gRPC's

  base::Mutex mutex_;  // guards all below
  State state_ WATTMINT_GUARDED_BY(mutex_) = State::kWorking;
  absl::Status end_ WATTMINT_GUARDED_BY(mutex_);    // why it ended
  std::string key_id_ WATTMINT_GUARDED_BY(mutex_);  // of the credential that the feed has
  bool is_kicked_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_cancelled_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool must_recheck_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::optional<base::Duration> drain_after_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point due_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point write_start_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::rpc
