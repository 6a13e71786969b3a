// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/rpc/calls.h"
#include "core/rpc/dynamic_call.h"
#include "core/rpc/event_requests.h"
#include "core/rpc/subscribe_call.h"
#include "core/store/meter_registry.h"
#include "wattmint/v1/event.grpc.pb.h"

namespace wattmint::rpc {

// The event log: wattmint/v1/event.proto. Streams are served as raw bytes, since every subscriber
// sends the same ones.
// Lifetime: everything passed to the constructor must outlive it.
class EventService final : public v1::EventService::WithRawCallbackMethod_Subscribe<
                               v1::EventService::WithRawCallbackMethod_SubscribeDynamic<
                                   v1::EventService::WithCallbackMethod_ReadEvents<
                                       v1::EventService::WithCallbackMethod_DryRunSubscription<
                                           v1::EventService::WithCallbackMethod_ExplainEvent<
                                               v1::EventService::WithCallbackMethod_GetLogBounds<
                                                   v1::EventService::Service>>>>>> {
 public:
  EventService(Calls& calls, const store::MeterRegistry& registry, const EventStreamPlace& place)
      : calls_(calls), requests_(registry), place_(place) {}

  SubscribeReactor* Subscribe(grpc::CallbackServerContext* context,
                              const grpc::ByteBuffer* request) override;
  DynamicReactor* SubscribeDynamic(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ReadEvents(grpc::CallbackServerContext* context,
                                       const v1::ReadEventsRequest* request,
                                       v1::ReadEventsResponse* response) override;
  grpc::ServerUnaryReactor* DryRunSubscription(grpc::CallbackServerContext* context,
                                               const v1::DryRunSubscriptionRequest* request,
                                               v1::DryRunSubscriptionResponse* response) override;
  grpc::ServerUnaryReactor* ExplainEvent(grpc::CallbackServerContext* context,
                                         const v1::ExplainEventRequest* request,
                                         v1::ExplainEventResponse* response) override;
  grpc::ServerUnaryReactor* GetLogBounds(grpc::CallbackServerContext* context,
                                         const v1::GetLogBoundsRequest* request,
                                         v1::GetLogBoundsResponse* response) override;

 private:
  absl::StatusOr<v1::ReadEventsResponse> Read(const access::Principal& caller,
                                              const v1::ReadEventsRequest& asked) const;
  absl::StatusOr<v1::DryRunSubscriptionResponse> TryOut(
      const access::Principal& caller, const v1::DryRunSubscriptionRequest& asked) const;
  absl::StatusOr<v1::ExplainEventResponse> Explain(const access::Principal& caller,
                                                   const v1::ExplainEventRequest& asked) const;
  absl::StatusOr<std::int64_t> FindStart(const stream::Start& start,
                                         const store::LogBounds& bounds) const;

  Calls& calls_;
  const EventRequests requests_;
  const EventStreamPlace& place_;
};

}  // namespace wattmint::rpc
