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

absl::StatusOr<stream::Start> StartAt(const google::protobuf::Timestamp& from) {
  const auto time = TimeFromProto(from);
  if (!time) return BadField("from_time", "is no time from 1970 to 9999 in whole microseconds");
  return stream::FromTime{*time};
}

absl::StatusOr<stream::Start> StartOf(const v1::SubscribeRequest& asked) {
  switch (asked.start_case()) {
    case v1::SubscribeRequest::kCursor:
      if (asked.cursor().empty()) return BadField("cursor", "must not be empty when it is set");
      return stream::FromCursor{asked.cursor(), asked.last_sequence()};
    case v1::SubscribeRequest::kFromSequence:
      if (asked.from_sequence() < 1) return BadField("from_sequence", "must be at least 1");
      return stream::FromSequence{asked.from_sequence()};
    case v1::SubscribeRequest::kFromTime:
      return StartAt(asked.from_time());
    case v1::SubscribeRequest::kPosition:
      if (!v1::StartPosition_IsValid(asked.position())) {
        return BadField("position", "is no position that this version knows");
      }
      if (asked.position() == v1::START_POSITION_OLDEST) return stream::FromOldest{};
      return stream::FromNow{};
    case v1::SubscribeRequest::START_NOT_SET:
      break;
  }
  return stream::FromNow{};
}

// Of a question about history.
template <typename Question>
absl::StatusOr<stream::Start> HistoryStartOf(const Question& asked) {
  if (asked.has_from_time()) {
    if (asked.from_sequence() != 0) return BadField("from_time", "does not go with from_sequence");
    return StartAt(asked.from_time());
  }
  if (asked.from_sequence() < 0) return BadField("from_sequence", "must not be below 0");
  if (asked.from_sequence() == 0) return stream::FromOldest{};
  return stream::FromSequence{asked.from_sequence()};
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

EventReactor* EventService::Subscribe(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request) {
  auto principal = calls_.Admit(*context, "wattmint.v1.EventService.Subscribe");
  if (!principal.ok()) return EventStream::Refuse(principal.status());
  const auto asked = Parse(*request);
  if (!asked.ok()) return EventStream::Refuse(asked.status());
  auto feed_request = FeedRequestOf(*std::move(principal), *asked);
  if (!feed_request.ok()) return EventStream::Refuse(feed_request.status());
  v1::EventFilter filter = ToProto(feed_request->filter);
  return EventStream::Start(place_, context, *std::move(feed_request), std::move(filter));
}

absl::StatusOr<stream::FeedRequest> EventService::FeedRequestOf(
    Principal principal, const v1::SubscribeRequest& asked) const {
  stream::FeedRequest request;
  WATTMINT_ASSIGN_OR_RETURN(request.filter, FilterFromProto(asked.filter()));
  WATTMINT_RETURN_IF_ERROR(access::CheckFilter(principal, request.filter, registry_));
  request.principal = std::move(principal);
  WATTMINT_ASSIGN_OR_RETURN(request.start, StartOf(asked));
  return request;
}

grpc::ServerUnaryReactor* EventService::ReadEvents(grpc::CallbackServerContext* context,
                                                   const v1::ReadEventsRequest* request,
                                                   v1::ReadEventsResponse* response) {
  return calls_.Serve(context, "wattmint.v1.EventService.ReadEvents", request, response,
                      [this](const Principal& principal, const v1::ReadEventsRequest& asked) {
                        return Read(principal, asked);
                      });
}

absl::StatusOr<stream::Interest> EventService::InterestOf(const Principal& caller,
                                                          const std::string& as_user,
                                                          const v1::EventFilter& filter) const {
  Principal principal = caller;
  if (!as_user.empty()) {
    WATTMINT_RETURN_IF_ERROR(access::CheckPermission(caller, Permission::kReadEventsAsUser));
    if (!domain::IsUserId(as_user)) return BadField("as_user", "is no user id");
    principal = access::OnBehalfOf(caller, as_user);
  }
  WATTMINT_ASSIGN_OR_RETURN(domain::EventFilter wanted, FilterFromProto(filter));
  WATTMINT_RETURN_IF_ERROR(access::CheckFilter(principal, wanted, registry_));
  stream::Interest interest{.scope = access::ScopeOf(principal), .filters = {}};
  if (!wanted.IsEmpty()) interest.filters.push_back(std::move(wanted));
  return interest;
}

absl::StatusOr<std::int64_t> EventService::FindStart(const stream::Start& start,
                                                     const store::LogBounds& bounds) const {
  const stream::Feed::Sources& sources = place_.sources;
  return stream::FindStart(start, {sources.log, bounds, sources.hub.head(), sources.signer, {}});
}

absl::StatusOr<v1::ReadEventsResponse> EventService::Read(
    const Principal& caller, const v1::ReadEventsRequest& asked) const {
  WATTMINT_ASSIGN_OR_RETURN(stream::Interest interest,
                            InterestOf(caller, asked.as_user(), asked.filter()));
  WATTMINT_ASSIGN_OR_RETURN(const int count_max,
                            PageSize(asked.page_size(), kPageDefault, domain::kEventsPerPageMax));
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  WATTMINT_ASSIGN_OR_RETURN(const stream::Start start, HistoryStartOf(asked));
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
  WATTMINT_ASSIGN_OR_RETURN(const stream::Interest interest,
                            InterestOf(caller, asked.as_user(), asked.filter()));
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  WATTMINT_ASSIGN_OR_RETURN(const stream::Start start, HistoryStartOf(asked));
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
  WATTMINT_ASSIGN_OR_RETURN(const stream::Interest interest,
                            InterestOf(caller, asked.as_user(), asked.filter()));
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
