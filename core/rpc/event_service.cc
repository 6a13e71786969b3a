// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_service.h"

#include "core/access/authorizer.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/rpc/converters.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <utility>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;

constexpr int kPageDefault = 1'000;             // Source: event.proto
constexpr std::size_t kPageBytesMax = 3 << 20;  // chosen: below what clients take by default

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
  if (asked.start_case() == v1::SubscribeRequest::kFromSequence) {
    if (asked.from_sequence() < 1) return BadField("from_sequence", "must be at least 1");
    request.from_sequence = asked.from_sequence();
  }
  if (asked.start_case() == v1::SubscribeRequest::kCursor && asked.cursor().empty()) {
    return BadField("cursor", "must not be empty when it is set");
  }
  request.cursor = asked.cursor();
  request.last_sequence = asked.last_sequence();
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

absl::StatusOr<v1::ReadEventsResponse> EventService::Read(
    const Principal& caller, const v1::ReadEventsRequest& asked) const {
  Principal principal = caller;
  if (!asked.as_user().empty()) {
    WATTMINT_RETURN_IF_ERROR(access::CheckPermission(caller, Permission::kReadEventsAsUser));
    if (!domain::IsUserId(asked.as_user())) return BadField("as_user", "is no user id");
    principal = access::OnBehalfOf(caller, asked.as_user());
  }
  WATTMINT_ASSIGN_OR_RETURN(const domain::EventFilter filter, FilterFromProto(asked.filter()));
  WATTMINT_RETURN_IF_ERROR(access::CheckFilter(principal, filter, registry_));
  WATTMINT_ASSIGN_OR_RETURN(const int count_max,
                            PageSize(asked.page_size(), kPageDefault, domain::kEventsPerPageMax));
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, place_.sources.log.GetBounds());
  if (asked.from_sequence() < 0) return BadField("from_sequence", "must be at least 1");
  const std::int64_t from = std::max<std::int64_t>(asked.from_sequence(), 1);
  WATTMINT_RETURN_IF_ERROR(stream::CheckStart(from, bounds.first, place_.sources.hub.head()));

  stream::Interest interest{.scope = access::ScopeOf(principal), .filters = {}};
  if (!filter.IsEmpty()) interest.filters.push_back(filter);
  const auto subscription = place_.sources.hub.Subscribe(std::move(interest), from - 1, [] {});
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
