// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_requests.h"

#include "core/access/authorizer.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/rpc/converters.h"
#include "core/rpc/scope.h"
#include "core/rpc/status_convert.h"

#include <string>
#include <utility>

namespace wattmint::rpc {
namespace {

absl::StatusOr<stream::Start> StartAt(const google::protobuf::Timestamp& from) {
  const auto time = TimeFromProto(from);
  if (!time) return BadField("from_time", "is no time from 1970 to 9999 in whole microseconds");
  return stream::FromTime{*time};
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

}  // namespace

absl::StatusOr<domain::EventFilter> EventRequests::FilterOf(const access::Principal& principal,
                                                            const v1::EventFilter& filter,
                                                            Admission admission) const {
  WATTMINT_ASSIGN_OR_RETURN(domain::EventFilter wanted, FilterFromProto(filter));
  if (admission == Admission::kAsk) {
    WATTMINT_RETURN_IF_ERROR(access::CheckFilter(principal, wanted, registry_));
  }
  return wanted;
}

absl::StatusOr<stream::FilterSet> EventRequests::FiltersOf(const access::Principal& principal,
                                                           const v1::DynamicStart& asked) const {
  if (asked.filters().empty()) return BadField("filters", "must name at least one filter");
  if (asked.place().has_filter()) return BadField("place.filter", "belongs into filters");
  stream::FilterSet filters;
  for (const auto& [name, filter] : asked.filters()) {
    WATTMINT_ASSIGN_OR_RETURN(domain::EventFilter wanted,
                              FilterOf(principal, filter, AdmissionOf(asked.place())));
    WATTMINT_RETURN_IF_ERROR(filters.Put(name, std::move(wanted)));
  }
  return filters;
}

absl::StatusOr<stream::Interest> EventRequests::InterestOf(const access::Principal& caller,
                                                           const std::string& as_user,
                                                           const v1::EventFilter& filter,
                                                           Admission admission) const {
  WATTMINT_ASSIGN_OR_RETURN(const access::Principal principal, ActingFor(caller, as_user));
  WATTMINT_ASSIGN_OR_RETURN(domain::EventFilter wanted, FilterOf(principal, filter, admission));
  stream::Interest interest{.scope = access::ScopeOf(principal), .filters = {}};
  if (!wanted.IsEmpty()) interest.filters.push_back(std::move(wanted));
  return interest;
}

EventRequests::Admission AdmissionOf(const v1::SubscribeRequest& asked) {
  return asked.has_cursor() ? EventRequests::Admission::kAsked : EventRequests::Admission::kAsk;
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

absl::StatusOr<stream::Start> StartOf(const v1::ReadEventsRequest& asked) {
  return HistoryStartOf(asked);
}

absl::StatusOr<stream::Start> StartOf(const v1::DryRunSubscriptionRequest& asked) {
  return HistoryStartOf(asked);
}

}  // namespace wattmint::rpc
