// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/subscribe_call.h"

#include "core/rpc/refused_call.h"

#include <memory>
#include <utility>

namespace wattmint::rpc {

SubscribeReactor* SubscribeCall::Refuse(const absl::Status& status) {
  return new RefusedCall<SubscribeReactor>(status);
}

SubscribeReactor* SubscribeCall::Start(const EventStreamPlace& place,
                                       grpc::CallbackServerContext* context,
                                       stream::FeedRequest request, v1::EventFilter filter) {
  auto call =
      std::make_shared<SubscribeCall>(place, context, std::move(request), std::move(filter));
  const access::Principal& principal = call->request_.principal;
  if (absl::Status status = call->Begin("wattmint.v1.EventService.Subscribe", principal);
      !status.ok()) {
    return Refuse(status);
  }
  call->StartSendInitialMetadata();
  call->Run();
  return call.get();
}

SubscribeCall::SubscribeCall(const EventStreamPlace& place, grpc::CallbackServerContext* context,
                             stream::FeedRequest request, v1::EventFilter filter)
    : EventStream(place, context), request_(std::move(request)) {
  *terms().mutable_filter() = std::move(filter);
}

absl::StatusOr<std::optional<stream::FeedRequest>> SubscribeCall::TakeRequest() {
  return std::move(request_);
}

}  // namespace wattmint::rpc
