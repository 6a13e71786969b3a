// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/cast.h"
#include "cli/check/judge.h"
#include "wattmint/v1/event.pb.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wattmint::check {

// Where a subscriber's first stream begins.
enum class Beginning { kNow, kSequence, kOldest };

// One subscriber: as whom, what it asks for on its transport, and the same as the judge sees it.
struct SubscriberPlan {
  std::string name;
  std::optional<std::int16_t> user;  // whose key it comes with; nothing: the admin's
  Interest interest;
  Beginning beginning = Beginning::kNow;
  v1::SubscribeRequest grpc;     // for gRPC
  nlohmann::ordered_json frame;  // for a WebSocket: the data of Subscribe
  bool is_websocket() const { return interest.encoding == Interest::Encoding::kJson; }
};

// Subscribers of all kinds, in turn: the whole feed as admin, own events of each user, filters by
// type and by meter, and quiet ones; from now, from `first`, from the oldest event.
std::vector<SubscriberPlan> PlanSubscribers(const Cast& cast, std::int64_t first, int grpc,
                                            int websockets);

}  // namespace wattmint::check
