// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/rpc/event_requests.h"
#include "core/rpc/event_stream.h"
#include "core/stream/filter_set.h"

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <optional>

namespace wattmint::rpc {

using DynamicReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// One call of SubscribeDynamic: reads one change at a time, and the next one when the answer to it
// was written. Threads and lifetime: as EventStream; gRPC's for what was read.
class DynamicCall final : public DynamicReactor, public EventStream {
 public:
  // The reactor of the call; one that ends at once if there is no room.
  static DynamicReactor* Start(const EventStreamPlace& place, const EventRequests& requests,
                               grpc::CallbackServerContext* context, access::Principal principal);
  // A reactor that ends at once.
  static DynamicReactor* Refuse(const absl::Status& status);

  DynamicCall(const EventStreamPlace& place, const EventRequests& requests,
              grpc::CallbackServerContext* context, access::Principal principal);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Cancelled(); }
  void OnDone() override { Done(); }

 private:
  using Message = stream::Feed::Message;

  void WriteBytes(grpc::ByteBuffer* bytes) override { StartWrite(bytes); }
  void FinishCall(const grpc::Status& status) override { Finish(status); }
  absl::StatusOr<std::optional<stream::FeedRequest>> TakeRequest() override;
  std::optional<Message> NextAnswer(stream::Feed& feed) override;

  absl::StatusOr<Message> Apply(const v1::SubscribeDynamicRequest& change, stream::Feed& feed);
  absl::StatusOr<Message> ChangeFilters(stream::FilterSet filters, std::int64_t change_id,
                                        stream::Feed& feed);
  absl::StatusOr<Message> Renew(const std::string& credential, std::int64_t change_id,
                                stream::Feed& feed);

  const EventRequests& requests_;
  const std::chrono::steady_clock::time_point start_by_;
  access::Principal principal_;  // until the stream is open
  stream::FilterSet filters_;    // only while working

  grpc::ByteBuffer read_;  // gRPC's while reading
  // What was read waits to be looked at.
  std::atomic<bool> has_read_ = false;
  // The client may be heard again when what is being written is.
  std::atomic<bool> reads_on_ = false;
  std::atomic<bool> has_said_all_ = false;  // the client
};

}  // namespace wattmint::rpc
