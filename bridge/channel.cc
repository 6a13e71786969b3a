// SPDX-License-Identifier: Apache-2.0
#include "bridge/channel.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/domain/ids.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace wattmint::bridge {
namespace {

using Kind = Channel::Kind;

using Shape = Channel::Shape;

constexpr auto kShapes = std::to_array<Shape>({
    {Kind::kUser, "user:", "User", "user_id", "all events of that user", "that user, admin"},
    {Kind::kMeter, "meter:", "Meter", "meter_id", "events of that meter, as far as visible", "any"},
    {Kind::kWallet, "wallet:", "Wallet", "wallet", "events of that wallet, as far as visible",
     "any"},
    {Kind::kJob, "job:", "Job", "job_id",
     "the tasks of that batch as they are, then what happens to them, as far as visible", "any"},
    {Kind::kTask, "task:", "Task", "task_id", "that mint task, as far as visible", "any"},
    {Kind::kBatches, "batches", "Batches", "", "`BatchMintingCompleted`", "admin"},
    {Kind::kSystemAlerts, "system_alerts", "SystemAlerts", "",
     "`SystemAlert` of the log, and this bridge's own", "any"},
    {Kind::kSystem, "system", "SystemStatus", "", "`SystemStatus`", "any"},
});

// Known, and not offered while there is no market.
constexpr std::array<std::string_view, 8> kMarketPrefixes = {
    "market:", "prices:", "orders:", "positions:", "intent:", "solver:", "trades", "market_data"};
constexpr std::array<std::string_view, 6> kMarketTypes = {"Markets", "Market",    "Positions",
                                                          "Orders",  "PriceFeed", "Trades"};

const Shape& ShapeOf(Kind kind) {
  const auto shape = std::find_if(kShapes.begin(), kShapes.end(), [kind](const Shape& candidate) {
    return candidate.kind == kind;
  });
  WATTMINT_ASSERT(shape != kShapes.end(), "channel kind {}", static_cast<int>(kind));
  return *shape;
}

std::optional<std::int64_t> ParseTaskId(std::string_view text) {
  std::int64_t id = 0;
  if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &id) || id < 1 ||
      std::to_string(id) != text) {
    return std::nullopt;
  }
  return id;
}

bool IsId(Kind kind, std::string_view id) {
  switch (kind) {
    case Kind::kUser:
      return domain::IsUserId(id);
    case Kind::kWallet:
      return domain::IsWalletAddress(id);
    case Kind::kTask:
      return ParseTaskId(id).has_value();
    default:
      return domain::IsMeterId(id);  // a batch's UUID has this form as well
  }
}

absl::Status NotOffered() {
  return base::InvalidArgument("the market's channels are not offered by this server");
}

absl::StatusOr<Channel> Make(const Shape& shape, std::string_view id) {
  if (!shape.parameter.empty() && !IsId(shape.kind, id)) {
    return base::InvalidArgument("{} needs a valid id", shape.prefix);
  }
  return Channel{shape.kind, std::string(id)};
}

}  // namespace

absl::StatusOr<Channel> Channel::Parse(std::string_view text) {
  for (const Shape& shape : kShapes) {
    if (shape.parameter.empty() ? text == shape.prefix : text.starts_with(shape.prefix)) {
      return Make(shape, text.substr(shape.prefix.size()));
    }
  }
  for (const std::string_view prefix : kMarketPrefixes) {
    if (prefix.ends_with(':') ? text.starts_with(prefix) : text == prefix) return NotOffered();
  }
  return base::InvalidArgument("there is no such channel");
}

absl::StatusOr<Channel> Channel::FromObject(std::string_view type, const Params& params) {
  for (const Shape& shape : kShapes) {
    if (type != shape.type) continue;
    if (shape.parameter.empty()) return Channel{shape.kind, ""};
    for (const auto& [name, value] : params) {
      if (name == shape.parameter) return Make(shape, value);
    }
    return base::InvalidArgument("{} needs the parameter {}", shape.type, shape.parameter);
  }
  if (std::find(kMarketTypes.begin(), kMarketTypes.end(), type) != kMarketTypes.end()) {
    return NotOffered();
  }
  return base::InvalidArgument("there is no such channel");
}

std::span<const Channel::Shape> Channel::Shapes() { return kShapes; }

std::string Channel::Name() const { return std::string(ShapeOf(kind).prefix) + id; }

domain::EventFilter Channel::ToFilter() const {
  WATTMINT_ASSERT(HasEvents(), "{} carries no events", Name());
  domain::EventFilter filter;
  switch (kind) {
    case Kind::kUser:
      filter.user_ids = {id};
      break;
    case Kind::kMeter:
      filter.meter_ids = {id};
      break;
    case Kind::kWallet:
      filter.wallet_addresses = {id};
      break;
    case Kind::kJob:
      filter.batch_ids = {id};
      break;
    case Kind::kTask:
      filter.task_ids = {*ParseTaskId(id)};
      break;
    case Kind::kSystemAlerts:
      filter.types = {domain::EventType::kSystemAlert};
      break;
    default:
      filter.types = {domain::EventType::kBatchMintingCompleted};
  }
  return filter;
}

}  // namespace wattmint::bridge
