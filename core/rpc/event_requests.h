// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/domain/filter.h"
#include "core/store/meter_registry.h"
#include "core/stream/feed.h"
#include "core/stream/filter_set.h"
#include "core/stream/start.h"
#include "wattmint/v1/event.pb.h"

#include <absl/status/statusor.h>

namespace wattmint::rpc {

// Reads what clients ask of the event log. Errors: kInvalidArgument that names the field;
// kPermissionDenied for what the principal may not ask. Threads: any. Lifetime: `registry` must
// outlive it.
class EventRequests {
 public:
  explicit EventRequests(const store::MeterRegistry& registry) : registry_(registry) {}

  // Whether the caller may name what a filter names, was asked before: when the cursor was made
  // that the filter must match, or by the bridge that asks for its user. What was theirs then may
  // be somebody else's now, and they still get what happened before.
  enum class Admission { kAsk, kAsked };

  absl::StatusOr<domain::EventFilter> FilterOf(const access::Principal& principal,
                                               const v1::EventFilter& filter,
                                               Admission admission) const;
  absl::StatusOr<stream::FilterSet> FiltersOf(const access::Principal& principal,
                                              const v1::DynamicStart& asked) const;
  // What a subscription of `as_user` with that filter would be about; of the caller if it is empty.
  absl::StatusOr<stream::Interest> InterestOf(const access::Principal& caller,
                                              const std::string& as_user,
                                              const v1::EventFilter& filter,
                                              Admission admission) const;

 private:
  const store::MeterRegistry& registry_;
};

EventRequests::Admission AdmissionOf(const v1::SubscribeRequest& asked);

absl::StatusOr<stream::Start> StartOf(const v1::SubscribeRequest& asked);
// Of a question about history.
absl::StatusOr<stream::Start> StartOf(const v1::ReadEventsRequest& asked);
absl::StatusOr<stream::Start> StartOf(const v1::DryRunSubscriptionRequest& asked);

}  // namespace wattmint::rpc
