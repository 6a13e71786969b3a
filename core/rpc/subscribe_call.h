// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/rpc/event_stream.h"

#include <grpcpp/support/server_callback.h>

#include <optional>

namespace wattmint::rpc {

using SubscribeReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// One call of Subscribe. Threads and lifetime: as EventStream.
class SubscribeCall final : public SubscribeReactor, public EventStream {
 public:
  // The reactor of the call; one that ends at once if there is no room. `filter` is told to the
  // client.
  static SubscribeReactor* Start(const EventStreamPlace& place,
                                 grpc::CallbackServerContext* context, stream::FeedRequest request,
                                 v1::EventFilter filter);
  // A reactor that ends at once.
  static SubscribeReactor* Refuse(const absl::Status& status);

  SubscribeCall(const EventStreamPlace& place, grpc::CallbackServerContext* context,
                stream::FeedRequest request, v1::EventFilter filter);

  void OnWriteDone(bool ok) override { Written(ok); }
  void OnCancel() override { Cancelled(); }
  void OnDone() override { Done(); }

 private:
  void WriteBytes(grpc::ByteBuffer* bytes) override { StartWrite(bytes); }
  void FinishCall(const grpc::Status& status) override { Finish(status); }
  absl::StatusOr<std::optional<stream::FeedRequest>> TakeRequest() override;

  stream::FeedRequest request_;  // until it is taken
};

}  // namespace wattmint::rpc
