// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_service.h"

#include "core/access/authorizer.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/rpc/converters.h"
#include "core/stream/dry_run.h"
#include "core/wire/convert.h"
#include "core/wire/event_codec.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <utility>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;
using Admission = EventRequests::Admission;

constexpr std::int64_t kDryRunEventsMax = 100'000;  // chosen: some 0.2 s. Source: event.proto
constexpr int kPageDefault = 1'000;                 // Source: event.proto
constexpr std::size_t kPageBytesMax = 3 << 20;      // chosen: below what clients take by default

absl::StatusOr<v1::SubscribeRequest> Parse(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy = bytes;  // of references
  v1::SubscribeRequest request;
  const grpc::Status status =
      grpc::SerializationTraits<v1::SubscribeRequest>::Deserialize(&copy, &request);
  if (!status.ok()) return base::InvalidArgument("the request is no SubscribeRequest");
  return request;
}

absl::Status Append(const store::EventRecord& event, v1::ReadEventsResponse& page) {
  v1::Event& out = *page.add_events();
  const std::string& payload = event.body->payload;
  if (!out.ParseFromString(payload)) {
    return base::DataLoss("event {}: the bytes are no event", event.sequence);
  }
  out.set_sequence(event.sequence);
  return absl::OkStatus();
}

v1::DryRunSubscriptionResponse ToProto(const stream::DryRun& found) {
  v1::DryRunSubscriptionResponse given;
  given.set_events(found.all.events);
  given.set_bytes(found.all.bytes);
  for (const auto& [type, count] : found.by_type) {
    v1::DryRunCount& out = *given.add_by_type();
    out.set_type(static_cast<v1::EventType>(type));
    out.set_events(count.events);
    out.set_bytes(count.bytes);
  }
  given.set_peak_events_per_second(found.peak_per_second);
  given.set_mean_events_per_second(found.MeanPerSecond());
  given.set_scanned(found.scanned);
  given.set_next_sequence(found.last + 1);
  if (found.first_time) wire::ToProto(*found.first_time, *given.mutable_first_time());
  if (found.last_time) wire::ToProto(*found.last_time, *given.mutable_last_time());
  return given;
}

}  // namespace

SubscribeReactor* EventService::Subscribe(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request) {
  auto principal = calls_.Admit(*context, "wattmint.v1.EventService.Subscribe");
  if (!principal.ok()) return SubscribeCall::Refuse(principal.status());
  const auto asked = Parse(*request);
  if (!asked.ok()) return SubscribeCall::Refuse(asked.status());
  stream::FeedRequest feed_request;
  const auto filter = requests_.FilterOf(*principal, asked->filter(), AdmissionOf(*asked));
  if (!filter.ok()) {
    place_.audit.Refused("wattmint.v1.EventService.Subscribe", &*principal, filter.status());
    return SubscribeCall::Refuse(filter.status());
  }
  auto start = StartOf(*asked);
  if (!start.ok()) return SubscribeCall::Refuse(start.status());
  if (!filter->IsEmpty()) feed_request.filters.push_back(*filter);
  feed_request.principal = *std::move(principal);
  feed_request.start = *std::move(start);
  return SubscribeCall::Start(place_, context, std::move(feed_request), ToProto(*filter));
}

DynamicReactor* EventService::SubscribeDynamic(grpc::CallbackServerContext* context) {
  auto principal = calls_.Admit(*context, "wattmint.v1.EventService.SubscribeDynamic");
  if (!principal.ok()) return DynamicCall::Refuse(principal.status());
  return DynamicCall::Start(place_, requests_, context, *std::move(principal));
}

grpc::ServerUnaryReactor* EventService::ReadEvents(grpc::CallbackServerContext* context,
                                                   const v1::ReadEventsRequest* request,
                                                   v1::ReadEventsResponse* response) {
  return calls_.Serve(context, "wattmint.v1.EventService.ReadEvents", request, response,
                      [this](const Principal& principal, const v1::ReadEventsRequest& asked) {
                        return Read(principal, asked);
                      });
}

absl::StatusOr<std::int64_t> EventService::FindStart(const stream::Start& start,
                                                     const store::LogBounds& bounds) const {
  const stream::Feed::Sources& sources = place_.sources;
  return stream::FindStart(start, {sources.log, bounds, sources.hub.head(), sources.signer, {}});
}

absl::StatusOr<v1::ReadEventsResponse> EventService::Read(
    const Principal& caller, const v1::ReadEventsRequest& asked) const {
  WATTMINT_ASSIGN_OR_RETURN(
      stream::Interest interest,
      requests_.InterestOf(caller, asked.as_user(), asked.filter(),
                           asked.as_user().empty() ? Admission::kAsk : Admission::kAsked));
  WATTMINT_ASSIGN_OR_RETURN(const int count_max,
                            PageSize(asked.page_size(), kPageDefault, domain::kEventsPerPageMax));
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  WATTMINT_ASSIGN_OR_RETURN(const stream::Start start, StartOf(asked));
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t after, FindStart(start, bounds));
  const auto subscription = place_.sources.hub.Subscribe(std::move(interest), after, [] {});
  WATTMINT_ASSIGN_OR_RETURN(const stream::Page page,
                            subscription->Next(static_cast<std::size_t>(count_max), kPageBytesMax));
  v1::ReadEventsResponse given;
  for (const store::EventRecord& event : page.events) {
    WATTMINT_RETURN_IF_ERROR(Append(event, given));
  }
  given.set_next_sequence(page.delivered + 1);
  given.set_head_sequence(place_.sources.hub.head());
  given.set_epoch(bounds.epoch);
  return given;
}

grpc::ServerUnaryReactor* EventService::DryRunSubscription(
    grpc::CallbackServerContext* context, const v1::DryRunSubscriptionRequest* request,
    v1::DryRunSubscriptionResponse* response) {
  return calls_.Serve(context, "wattmint.v1.EventService.DryRunSubscription", request, response,
                      [this](const Principal& caller, const v1::DryRunSubscriptionRequest& asked) {
                        return TryOut(caller, asked);
                      });
}

absl::StatusOr<v1::DryRunSubscriptionResponse> EventService::TryOut(
    const Principal& caller, const v1::DryRunSubscriptionRequest& asked) const {
  WATTMINT_ASSIGN_OR_RETURN(
      const stream::Interest interest,
      requests_.InterestOf(caller, asked.as_user(), asked.filter(), Admission::kAsk));
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  WATTMINT_ASSIGN_OR_RETURN(const stream::Start start, StartOf(asked));
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t after, FindStart(start, bounds));
  const std::int64_t head = place_.sources.hub.head();
  WATTMINT_ASSIGN_OR_RETURN(
      const stream::DryRun found,
      stream::TryOut(interest, place_.sources.log, after, head, kDryRunEventsMax));
  v1::DryRunSubscriptionResponse given = ToProto(found);
  given.set_head_sequence(head);
  return given;
}

grpc::ServerUnaryReactor* EventService::ExplainEvent(grpc::CallbackServerContext* context,
                                                     const v1::ExplainEventRequest* request,
                                                     v1::ExplainEventResponse* response) {
  return calls_.Serve(context, "wattmint.v1.EventService.ExplainEvent", request, response,
                      [this](const Principal& caller, const v1::ExplainEventRequest& asked) {
                        return Explain(caller, asked);
                      });
}

absl::StatusOr<v1::ExplainEventResponse> EventService::Explain(
    const Principal& caller, const v1::ExplainEventRequest& asked) const {
  if (asked.sequence() < 1) return BadField("sequence", "must be at least 1");
  WATTMINT_ASSIGN_OR_RETURN(
      const stream::Interest interest,
      requests_.InterestOf(caller, asked.as_user(), asked.filter(), Admission::kAsk));
  const absl::Status none = base::NotFound("there is no event {} for you", asked.sequence());
  if (asked.sequence() > place_.sources.hub.head()) return none;
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  WATTMINT_RETURN_IF_ERROR(FindStart(stream::FromSequence{asked.sequence()}, bounds).status());
  WATTMINT_ASSIGN_OR_RETURN(const auto events, place_.sources.log.Read(asked.sequence(), 1, 1));
  if (events.empty()) return base::DataLoss("the log has no event {}", asked.sequence());
  const std::string& payload = events.front().payload;
  WATTMINT_ASSIGN_OR_RETURN(const auto attributes, wire::DecodeAttributes(payload));
  // The same words as for what is not there: a stranger learns nothing.
  if (!stream::IsVisible(access::ScopeOf(caller), attributes)) return none;

  v1::ExplainEventResponse given;
  given.set_visible(stream::IsVisible(interest.scope, attributes));
  for (const domain::EventFilter& filter : interest.filters) {
    for (const std::string_view field : filter.ExcludedBy(attributes)) {
      given.add_excluded_by(std::string(field));
    }
  }
  given.set_delivered(given.visible() && given.excluded_by().empty());
  given.mutable_event()->ParseFromString(payload);
  given.mutable_event()->set_sequence(asked.sequence());
  return given;
}

grpc::ServerUnaryReactor* EventService::GetLogBounds(grpc::CallbackServerContext* context,
                                                     const v1::GetLogBoundsRequest* request,
                                                     v1::GetLogBoundsResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.EventService.GetLogBounds", request, response,
      [this](const Principal&,
             const v1::GetLogBoundsRequest&) -> absl::StatusOr<v1::GetLogBoundsResponse> {
        WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
        v1::GetLogBoundsResponse given;
        given.set_epoch(bounds.epoch);
        given.set_first_sequence(bounds.first);
        given.set_last_sequence(bounds.last);
        return given;
      });
}

}  // namespace wattmint::rpc
