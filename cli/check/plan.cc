// SPDX-License-Identifier: Apache-2.0
#include "cli/check/plan.h"

#include <fmt/format.h>

#include <utility>

namespace wattmint::check {
namespace {

constexpr std::uint16_t kReceived = v1::EVENT_TYPE_METER_READING_RECEIVED;
constexpr char kReceivedName[] = "MeterReadingReceived";

// What one kind of subscriber asks for.
struct Kind {
  const char* name;
  bool is_admin;
  enum class Meters { kAll, kOneBusy, kBusy, kQuiet } meters;
  bool has_types;
  Beginning beginning;
  bool is_channel = false;  // of a WebSocket: the user's channel instead of a filter
};
using Meters = Kind::Meters;

constexpr Kind kGrpcKinds[] = {
    {"everything from a sequence", true, Meters::kAll, false, Beginning::kSequence},
    {"own events", false, Meters::kAll, false, Beginning::kNow},
    {"own events from the oldest", false, Meters::kAll, false, Beginning::kOldest},
    {"readings from a sequence", true, Meters::kAll, true, Beginning::kSequence},
    {"one meter", false, Meters::kOneBusy, false, Beginning::kNow},
    {"a quiet meter", false, Meters::kQuiet, false, Beginning::kNow},
    {"meters of all from the oldest", true, Meters::kBusy, false, Beginning::kOldest},
    {"everything", true, Meters::kAll, false, Beginning::kNow},
};
// There a whole feed cannot begin at a sequence, and the oldest event is before this check.
constexpr Kind kWebSocketKinds[] = {
    {"everything", true, Meters::kAll, false, Beginning::kNow},
    {"own channel from the oldest", false, Meters::kAll, false, Beginning::kOldest, true},
    {"a quiet meter", false, Meters::kQuiet, false, Beginning::kNow},
    {"own readings from the oldest", false, Meters::kBusy, true, Beginning::kOldest},
};

std::vector<std::int16_t> MetersOf(const Kind& kind, std::int16_t user, const Cast& cast) {
  switch (kind.meters) {
    case Meters::kAll:
      return {};
    case Meters::kOneBusy:
      return {cast.BusyOf(user).front()};
    case Meters::kBusy:
      return kind.is_admin ? cast.Busy() : cast.BusyOf(user);
    case Meters::kQuiet:
      return cast.QuietOf(user);
  }
  return {};
}

void Begin(Beginning beginning, std::int64_t first, SubscriberPlan& plan) {
  plan.beginning = beginning;
  if (beginning == Beginning::kSequence) plan.grpc.set_from_sequence(first);
  if (beginning != Beginning::kOldest) return;
  plan.grpc.set_position(v1::START_POSITION_OLDEST);
  plan.frame["start"] = "beginning";
}

SubscriberPlan MakePlan(const Kind& kind, std::int16_t user, const Cast& cast, std::int64_t first) {
  SubscriberPlan plan;
  if (!kind.is_admin) plan.user = plan.interest.user = user;
  plan.interest.meters = MetersOf(kind, user, cast);
  Begin(kind.beginning, first, plan);
  const std::string& user_id = cast.users()[static_cast<std::size_t>(user)];
  if (kind.is_channel) {
    plan.frame["channels"] = {"user:" + user_id};
    plan.interest.is_own_only = true;
    return plan;
  }
  // An empty list lets everything through.
  plan.frame["event_types"] = nlohmann::ordered_json::array();
  if (kind.has_types) {
    plan.interest.types = {kReceived};
    plan.grpc.mutable_filter()->add_types(v1::EVENT_TYPE_METER_READING_RECEIVED);
    plan.frame["event_types"].push_back(kReceivedName);
  }
  for (const std::int16_t meter : plan.interest.meters) {
    const std::string& id = cast.meters()[static_cast<std::size_t>(meter)].id;
    plan.grpc.mutable_filter()->add_meter_ids(id);
    plan.frame["meters"].push_back(id);
  }
  return plan;
}

template <std::size_t N>
void Add(const Kind (&kinds)[N], int count, Interest::Encoding encoding, const Cast& cast,
         std::int64_t first, std::vector<SubscriberPlan>& plans) {
  const bool is_json = encoding == Interest::Encoding::kJson;
  for (int i = 0; i < count; ++i) {
    const auto user = static_cast<std::int16_t>(static_cast<std::size_t>(i) % cast.users().size());
    const Kind& kind = kinds[static_cast<std::size_t>(i) % N];
    SubscriberPlan plan = MakePlan(kind, user, cast, first);
    plan.interest.encoding = encoding;
    plan.name = fmt::format("{} {} ({}{})", is_json ? "websocket" : "grpc", i + 1, kind.name,
                            plan.user ? fmt::format(", user {}", user + 1) : "");
    plans.push_back(std::move(plan));
  }
}

}  // namespace

std::vector<SubscriberPlan> PlanSubscribers(const Cast& cast, std::int64_t first, int grpc,
                                            int websockets) {
  std::vector<SubscriberPlan> plans;
  Add(kGrpcKinds, grpc, Interest::Encoding::kGrpc, cast, first, plans);
  Add(kWebSocketKinds, websockets, Interest::Encoding::kJson, cast, first, plans);
  return plans;
}

}  // namespace wattmint::check
