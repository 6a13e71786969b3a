// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/dynamic_call.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/rpc/converters.h"
#include "core/rpc/refused_call.h"
#include "core/rpc/status_convert.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <memory>
#include <utility>
#include <vector>

namespace wattmint::rpc {
namespace {

constexpr std::string_view kMethod = "wattmint.v1.EventService.SubscribeDynamic";
constexpr base::Duration kStartMax = std::chrono::seconds(10);  // Source: event.proto

using Change = v1::SubscribeDynamicRequest;

absl::StatusOr<Change> Parse(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy = bytes;  // of references
  Change change;
  const grpc::Status status = grpc::SerializationTraits<Change>::Deserialize(&copy, &change);
  if (!status.ok()) return base::InvalidArgument("the request is no SubscribeDynamicRequest");
  return change;
}

}  // namespace

DynamicReactor* DynamicCall::Refuse(const absl::Status& status) {
  return new RefusedCall<DynamicReactor>(status);
}

DynamicReactor* DynamicCall::Start(const EventStreamPlace& place, const EventRequests& requests,
                                   grpc::CallbackServerContext* context,
                                   access::Principal principal) {
  auto call = std::make_shared<DynamicCall>(place, requests, context, std::move(principal));
  const absl::Status status = call->Begin(kMethod, call->principal_);
  if (!status.ok()) return Refuse(status);
  call->StartSendInitialMetadata();
  call->StartRead(&call->read_);
  call->Run();
  return call.get();
}

DynamicCall::DynamicCall(const EventStreamPlace& place, const EventRequests& requests,
                         grpc::CallbackServerContext* context, access::Principal principal)
    : EventStream(place, context),
      requests_(requests),
      start_by_(place.sources.clock.Steady() + kStartMax),
      principal_(std::move(principal)) {}

void DynamicCall::OnReadDone(bool ok) {
  (ok ? has_read_ : has_said_all_) = true;
  Kick();
}

// While this runs nothing can end the call, so that a read may begin.
void DynamicCall::OnWriteDone(bool ok) {
  if (ok && reads_on_.exchange(false)) StartRead(&read_);
  Written(ok);
}

absl::StatusOr<std::optional<stream::FeedRequest>> DynamicCall::TakeRequest() {
  if (!has_read_) {
    if (has_said_all_) return BadField("start", "must come first");
    if (place().sources.clock.Steady() < start_by_) return std::nullopt;
    return base::DeadlineExceeded("no start came within 10 s");
  }
  WATTMINT_ASSIGN_OR_RETURN(const Change change, Parse(read_));
  has_read_ = false;
  if (!change.has_start()) return BadField("start", "must come first");
  WATTMINT_ASSIGN_OR_RETURN(filters_, requests_.FiltersOf(principal_, change.start()));
  stream::FeedRequest request;
  WATTMINT_ASSIGN_OR_RETURN(request.start, StartOf(change.start().place()));
  request.filters = filters_.Filters();
  request.principal = std::move(principal_);
  for (const auto& [name, filter] : filters_.by_name()) {
    (*terms().mutable_filters())[name] = ToProto(filter);
  }
  reads_on_ = true;  // behind Established
  return request;
}

std::optional<DynamicCall::Message> DynamicCall::NextAnswer(stream::Feed& feed) {
  if (!has_read_) return std::nullopt;
  const absl::StatusOr<Change> change = Parse(read_);
  has_read_ = false;
  reads_on_ = true;
  if (!change.ok()) return stream::Feed::ChangeRefused{0, change.status()};
  absl::StatusOr<Message> answer = Apply(*change, feed);
  if (answer.ok()) return *std::move(answer);
  return stream::Feed::ChangeRefused{change->change_id(), answer.status()};
}

absl::StatusOr<DynamicCall::Message> DynamicCall::Apply(const Change& change, stream::Feed& feed) {
  // As costly as a call that opens a stream.
  WATTMINT_RETURN_IF_ERROR(place().limiter.Take(feed.principal(), access::RateClass::kHeavy));
  stream::FilterSet filters = filters_;
  switch (change.change_case()) {
    case Change::kAddFilter: {
      WATTMINT_ASSIGN_OR_RETURN(domain::EventFilter filter,
                                requests_.FilterOf(feed.principal(), change.add_filter().filter(),
                                                   EventRequests::Admission::kAsk));
      WATTMINT_RETURN_IF_ERROR(filters.Put(change.add_filter().name(), std::move(filter)));
      return ChangeFilters(std::move(filters), change.change_id(), feed);
    }
    case Change::kRemoveFilter:
      WATTMINT_RETURN_IF_ERROR(filters.Remove(change.remove_filter().name()));
      return ChangeFilters(std::move(filters), change.change_id(), feed);
    case Change::kRenewCredential:
      return Renew(change.renew_credential().credential(), change.change_id(), feed);
    case Change::kStart:
      return BadField("start", "comes once");
    case Change::CHANGE_NOT_SET:
      break;
  }
  return BadField("change", "is none that this version knows");
}

absl::StatusOr<DynamicCall::Message> DynamicCall::ChangeFilters(stream::FilterSet filters,
                                                                std::int64_t change_id,
                                                                stream::Feed& feed) {
  filters_ = std::move(filters);
  std::vector<domain::EventFilter> now = filters_.Filters();
  place().audit.Subscribed(number(), now);
  stream::Feed::FiltersChanged changed = feed.SetFilters(std::move(now));
  changed.change_id = change_id;
  return Message(std::move(changed));
}

absl::StatusOr<DynamicCall::Message> DynamicCall::Renew(const std::string& credential,
                                                        std::int64_t change_id,
                                                        stream::Feed& feed) {
  const std::string authorization = "Bearer " + credential;
  absl::StatusOr<access::Principal> principal = place().sources.authenticator.Authenticate(
      {.authorization = authorization}, access::TicketUse::kRefuse);
  if (!principal.ok()) {
    place().audit.Refused(kMethod, nullptr, principal.status());
    return principal.status();
  }
  WATTMINT_RETURN_IF_ERROR(feed.Renew(*std::move(principal)));
  place().audit.Renewed(number(), feed.principal());
  return Message(stream::Feed::CredentialRenewed{change_id, feed.principal().expires_at});
}

}  // namespace wattmint::rpc
