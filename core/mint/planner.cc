// SPDX-License-Identifier: Apache-2.0
#include "core/mint/planner.h"

#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/store/run_op.h"

#include <fmt/format.h>

#include <utility>

namespace wattmint::mint {
namespace {

using domain::Energy;
using domain::MintTask;

void PutInto(std::vector<MintTask>& place, MintTask task, std::string reason) {
  task.reason = std::move(reason);
  place.push_back(std::move(task));
}

domain::Time NextDay(domain::Time now) {
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
}

}  // namespace

Planner::Planner(store::CommitQueue& queue, store::Queries& queries,
                 const store::MeterRegistry& registry, const domain::MintLimits& limits)
    : queue_(queue), queries_(queries), registry_(registry), limits_(limits) {}

absl::StatusOr<Plan> Planner::Make(std::vector<MintTask> claimed, std::string batch_id,
                                   domain::Time now) {
  Plan plan{.batch_id = std::move(batch_id),
            .to_sign = {},
            .to_defer = {},
            .nothing = {},
            .to_park = {},
            .to_reject = {},
            .fixed = {},
            .remainders = {},
            .capped_day = {}};
  WATTMINT_ASSIGN_OR_RETURN(day_energy_, queries_.GetSignedEnergy(domain::DayOf(now)));
  if (limits_.day_energy_max > Energy()) plan.capped_day = {domain::DayOf(now), day_energy_};
  for (MintTask& task : claimed) WATTMINT_RETURN_IF_ERROR(Place(std::move(task), now, plan));
  return plan;
}

absl::Status Planner::Place(MintTask task, domain::Time now, Plan& plan) {
  WATTMINT_ASSIGN_OR_RETURN(task.wallet_address, WalletFor(task));
  if (task.tokens != domain::TokenAmount()) plan.fixed.insert(task.task_id);
  WATTMINT_ASSIGN_OR_RETURN(const bool is_held_back, IsHeldBack(task, now, plan));
  if (is_held_back) return absl::OkStatus();
  if (!plan.fixed.contains(task.task_id)) {
    WATTMINT_ASSIGN_OR_RETURN(const bool is_converted, Convert(task, plan));
    if (!is_converted) return absl::OkStatus();
  }
  auto& place = task.tokens == domain::TokenAmount() ? plan.nothing : plan.to_sign;
  place.push_back(std::move(task));
  return absl::OkStatus();
}

absl::StatusOr<bool> Planner::IsHeldBack(MintTask& task, domain::Time now, Plan& plan) {
  if (task.energy <= Energy()) {
    PutInto(plan.to_reject, std::move(task), "ENERGY: there is nothing that may be minted");
    return true;
  }
  if (task.wallet_address.empty()) {
    task.next_attempt = now + limits_.poll_interval;
    PutInto(plan.to_defer, std::move(task), "NO_WALLET: the meter has no wallet yet");
    return true;
  }
  if (!domain::IsWalletAddress(task.wallet_address)) {
    PutInto(plan.to_park, std::move(task), "WALLET_INVALID: the wallet is no Solana address");
    return true;
  }
  if (task.energy > limits_.energy_max) {
    PutInto(plan.to_park, std::move(task),
            fmt::format("CAP_PER_READING: above {} kWh", limits_.energy_max.ToString()));
    return true;
  }
  if (plan.fixed.contains(task.task_id)) return false;
  const auto day_energy = day_energy_.CheckedAdd(task.energy);
  const bool is_capped = limits_.day_energy_max > Energy();
  if (is_capped && task.energy > limits_.day_energy_max) {
    PutInto(plan.to_park, std::move(task),
            fmt::format("CAP_PER_DAY: above the {} kWh of a whole day",
                        limits_.day_energy_max.ToString()));
    return true;
  }
  if (!day_energy || (is_capped && *day_energy > limits_.day_energy_max)) {
    task.next_attempt = NextDay(now);
    PutInto(plan.to_defer, std::move(task),
            fmt::format("CAP_PER_DAY: {} kWh are enough for one day",
                        limits_.day_energy_max.ToString()));
    return true;
  }
  day_energy_ = *day_energy;
  return false;
}

absl::StatusOr<std::string> Planner::WalletFor(const MintTask& task) {
  const auto meter = registry_.Find(task.meter_id);
  if (meter && meter->user_id == task.user_id) return meter->wallet_address;
  WATTMINT_ASSIGN_OR_RETURN(const auto reading, queries_.FindReading(task.reading_id));
  if (reading && !reading->wallet_address.empty()) return reading->wallet_address;
  // The owner gave the meter away before naming a wallet for it.
  return registry_.LatestWalletOf(task.user_id);
}

absl::StatusOr<bool> Planner::Convert(MintTask& task, Plan& plan) {
  domain::Remainder carried;
  if (limits_.ratio.denominator != 1) {
    WATTMINT_ASSIGN_OR_RETURN(carried, RemainderOf(task.meter_id, plan));
  }
  const auto conversion =
      domain::ConvertEnergy(task.energy, limits_.ratio, domain::CarryTo(limits_.ratio, carried));
  if (!conversion.ok()) {
    PutInto(plan.to_park, std::move(task), "AMOUNT: " + conversion.status().ToString());
    return false;
  }
  task.tokens = conversion->tokens;
  if (limits_.ratio.denominator != 1) {
    plan.remainders[task.meter_id].after = {conversion->remainder, limits_.ratio.denominator};
  }
  return true;
}

absl::StatusOr<domain::Remainder> Planner::RemainderOf(const std::string& meter_id, Plan& plan) {
  if (const auto it = plan.remainders.find(meter_id); it != plan.remainders.end()) {
    return it->second.after;
  }
  domain::Remainder remainder;
  WATTMINT_RETURN_IF_ERROR(store::RunOp(queue_, [&](store::WriteContext& context) -> absl::Status {
    WATTMINT_ASSIGN_OR_RETURN(remainder, context.transaction().GetRemainder(meter_id));
    return absl::OkStatus();
  }));
  plan.remainders[meter_id] = {remainder, remainder};
  return remainder;
}

}  // namespace wattmint::mint
