// SPDX-License-Identifier: Apache-2.0
#include "core/mint/planner.h"

#include "core/base/status_macros.h"
#include "core/base/uuid.h"
#include "core/store/run_op.h"

#include <utility>

namespace wattmint::mint {
namespace {

// A random UUID (RFC 9562, version 4).
std::string NewBatchId(base::RandomSource& random) {
  base::Uuid uuid;
  random.Fill(uuid.bytes);
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid.ToString();
}

}  // namespace

Planner::Planner(store::CommitQueue& queue, store::Queries& queries,
                 const store::MeterRegistry& registry, base::RandomSource& random,
                 const domain::MintLimits& limits)
    : queue_(queue), queries_(queries), registry_(registry), random_(random), limits_(limits) {}

absl::StatusOr<Plan> Planner::Make(std::vector<domain::MintTask> due, domain::Time now) {
  Plan plan{.batch_id = NewBatchId(random_),
            .to_sign = {},
            .to_defer = {},
            .nothing = {},
            .to_park = {},
            .remainders = {}};
  for (domain::MintTask& task : due) {
    task.batch_id = plan.batch_id;
    WATTMINT_RETURN_IF_ERROR(Place(std::move(task), now, plan));
  }
  return plan;
}

absl::Status Planner::Place(domain::MintTask task, domain::Time now, Plan& plan) {
  WATTMINT_ASSIGN_OR_RETURN(task.wallet_address, WalletFor(task));
  if (task.wallet_address.empty()) {
    task.next_attempt = now + limits_.poll_interval;
    task.reason = "NO_WALLET: the meter has no wallet yet";
    plan.to_defer.push_back(std::move(task));
    return absl::OkStatus();
  }
  // A task that was parked and put back keeps the amount that it had.
  if (task.tokens == domain::TokenAmount()) {
    WATTMINT_ASSIGN_OR_RETURN(const std::int64_t carried, RemainderOf(task.meter_id, plan));
    const auto conversion = domain::ConvertEnergy(task.energy, limits_.ratio, carried);
    if (!conversion.ok()) {
      task.reason = "AMOUNT: " + conversion.status().ToString();
      plan.to_park.push_back(std::move(task));
      return absl::OkStatus();
    }
    task.tokens = conversion->tokens;
    if (limits_.ratio.denominator != 1) {
      plan.remainders[task.meter_id] = {conversion->remainder, limits_.ratio.denominator};
    }
  }
  auto& place = task.tokens == domain::TokenAmount() ? plan.nothing : plan.to_sign;
  place.push_back(std::move(task));
  return absl::OkStatus();
}

absl::StatusOr<std::string> Planner::WalletFor(const domain::MintTask& task) {
  const auto meter = registry_.Find(task.meter_id);
  if (meter && meter->user_id == task.user_id) return meter->wallet_address;
  WATTMINT_ASSIGN_OR_RETURN(const auto reading, queries_.FindReading(task.reading_id));
  return reading ? reading->wallet_address : std::string();
}

absl::StatusOr<std::int64_t> Planner::RemainderOf(const std::string& meter_id, Plan& plan) {
  if (limits_.ratio.denominator == 1) return 0;
  if (const auto it = plan.remainders.find(meter_id); it != plan.remainders.end()) {
    return it->second.numerator;
  }
  domain::Remainder remainder;
  WATTMINT_RETURN_IF_ERROR(store::RunOp(queue_, [&](store::WriteContext& context) -> absl::Status {
    WATTMINT_ASSIGN_OR_RETURN(remainder, context.transaction().GetRemainder(meter_id));
    return absl::OkStatus();
  }));
  return domain::CarryTo(limits_.ratio, remainder);
}

}  // namespace wattmint::mint
