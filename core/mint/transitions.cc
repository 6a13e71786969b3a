// SPDX-License-Identifier: Apache-2.0
#include "core/mint/transitions.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/power.h"
#include "core/mint/task_record.h"

#include <fmt/format.h>

#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;

absl::Status RequireSameRemainders(store::WriteContext& context, const Plan& plan) {
  for (const auto& [meter_id, change] : plan.remainders) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Remainder stored,
                              context.transaction().GetRemainder(meter_id));
    if (stored != change.before) {
      return base::Aborted("another mint of meter {} came between", meter_id);
    }
  }
  return absl::OkStatus();
}

absl::Status Sign(store::WriteContext& context, MintTask task) {
  task.reason.clear();
  task.attempts += 1;
  task.sends = 0;
  task.next_attempt = context.now();
  WATTMINT_RETURN_IF_ERROR(TellExecution(context, task, 0));
  return MoveTask(context, task, MintState::kSigned);
}

absl::Status Defer(store::WriteContext& context, MintTask task) {
  task.batch_id.clear();
  return StoreTask(context, task, MintState::kPending);
}

// What is refused after all is told to the owner as a refused reading is.
absl::Status Reject(store::WriteContext& context, MintTask task) {
  WATTMINT_RETURN_IF_ERROR(context.Append(
      domain::MeterReadingValidationFailed{task.user_id,
                                           task.wallet_address,
                                           task.meter_id,
                                           task.energy,
                                           {domain::Rejection::kEnergyInvalid, task.reason},
                                           task.interval_start}));
  return MoveTask(context, task, MintState::kRejected);
}

// What a person lets pass is the measure of what comes after it.
absl::Status LearnPeak(store::WriteContext& context, const MintTask& task) {
  if (!domain::HasCode(task.reason, domain::mint_reason::kQuarantineJump)) return absl::OkStatus();
  WATTMINT_ASSIGN_OR_RETURN(const auto stored, context.transaction().FindStored(task.task_id));
  WATTMINT_ASSERT(stored.has_value(), "task {} has no reading", task.task_id);
  const domain::Reading& reading = stored->accepted.reading;
  return context.transaction().RaisePeak(
      stored->meter_ref, {reading.start, domain::MeanMilliwatts(reading.energy, reading.length)});
}

absl::Status CountEnergy(store::WriteContext& context, const Plan& plan) {
  domain::Energy energy;
  for (const MintTask& task : plan.to_sign) {
    if (plan.fixed.contains(task.task_id)) continue;
    const auto sum = energy.CheckedAdd(task.energy);
    if (!sum) return base::Internal("the energy of batch {} overflows", plan.batch_id);
    energy = *sum;
  }
  if (energy == domain::Energy()) return absl::OkStatus();
  const std::int64_t day = domain::DayOf(context.now());
  if (plan.capped_day) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Energy stored,
                              context.transaction().GetSignedEnergy(day));
    if (day != plan.capped_day->day || stored != plan.capped_day->before) {
      return base::Aborted("another mint of the day came between, or the day ended");
    }
  }
  return context.transaction().AddSignedEnergy(day, energy);
}

}  // namespace

absl::StatusOr<std::vector<MintTask>> WriteClaims(store::WriteContext& context,
                                                  const std::vector<MintTask>& due,
                                                  const std::string& batch_id,
                                                  domain::Time lease_end) {
  std::vector<MintTask> claimed;
  claimed.reserve(due.size());
  for (const MintTask& seen : due) {
    WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, seen.task_id));
    if (task.state != MintState::kPending || task.next_attempt != seen.next_attempt) continue;
    task.batch_id = batch_id;
    task.next_attempt = lease_end;
    WATTMINT_RETURN_IF_ERROR(StoreTask(context, task, MintState::kClaimed));
    claimed.push_back(std::move(task));
  }
  return claimed;
}

absl::Status WriteReturns(store::WriteContext& context, const std::vector<MintTask>& claimed) {
  for (const MintTask& ours : claimed) {
    WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, ours.task_id));
    if (task.state != MintState::kClaimed || task.batch_id != ours.batch_id) continue;
    task.batch_id.clear();
    task.next_attempt = context.now();
    WATTMINT_RETURN_IF_ERROR(StoreTask(context, task, MintState::kPending));
  }
  return absl::OkStatus();
}

absl::Status WritePlan(store::WriteContext& context, const Plan& plan) {
  for (const auto* tasks :
       {&plan.to_sign, &plan.to_defer, &plan.nothing, &plan.to_park, &plan.to_reject}) {
    WATTMINT_RETURN_IF_ERROR(RequireUnchanged(context, *tasks));
  }
  WATTMINT_RETURN_IF_ERROR(RequireSameRemainders(context, plan));
  WATTMINT_RETURN_IF_ERROR(CountEnergy(context, plan));
  for (const MintTask& task : plan.to_sign) WATTMINT_RETURN_IF_ERROR(Sign(context, task));
  for (const MintTask& task : plan.to_defer) WATTMINT_RETURN_IF_ERROR(Defer(context, task));
  for (MintTask task : plan.nothing) {
    task.reason = fmt::format("{}: carried over to the meter's next mint",
                              domain::mint_reason::kBelowOneUnit);
    WATTMINT_RETURN_IF_ERROR(MoveTask(context, task, MintState::kNotApplicable));
  }
  for (MintTask task : plan.to_park) {
    WATTMINT_RETURN_IF_ERROR(ParkTask(context, task, task.reason));
  }
  for (const MintTask& task : plan.to_reject) WATTMINT_RETURN_IF_ERROR(Reject(context, task));
  for (const auto& [meter_id, change] : plan.remainders) {
    WATTMINT_RETURN_IF_ERROR(context.transaction().SetRemainder(meter_id, change.after));
  }
  return absl::OkStatus();
}

absl::Status WriteReleases(store::WriteContext& context, const std::vector<MintTask>& expired,
                           int attempts_max) {
  for (const MintTask& seen : expired) {
    WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, seen.task_id));
    if (task.state != MintState::kClaimed || task.batch_id != seen.batch_id) continue;
    task.attempts += 1;
    task.batch_id.clear();
    task.next_attempt = context.now();
    if (task.attempts >= attempts_max) {
      WATTMINT_RETURN_IF_ERROR(
          ParkTask(context, task,
                   fmt::format("LEASE_EXPIRED: claimed {} times and never signed", task.attempts)));
    } else {
      WATTMINT_RETURN_IF_ERROR(StoreTask(context, task, MintState::kPending));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<MintTask> WriteByHand(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, task_id));
  if (task.state != MintState::kPending) return task;
  task.by_hand = true;
  task.next_attempt = context.now();
  WATTMINT_RETURN_IF_ERROR(StoreTask(context, task, MintState::kPending));
  return task;
}

absl::StatusOr<MintTask> WriteRetry(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, task_id));
  if (task.state != MintState::kParked) {
    return base::FailedPrecondition("task {} is {}, not PARKED", task_id, Name(task.state));
  }
  WATTMINT_RETURN_IF_ERROR(LearnPeak(context, task));
  task.attempts = 0;
  task.by_hand = true;
  task.next_attempt = context.now();
  task.reason.clear();
  WATTMINT_RETURN_IF_ERROR(MoveTask(
      context, task, task.signed_bytes.empty() ? MintState::kPending : MintState::kSubmitted));
  return task;
}

absl::StatusOr<MintTask> WriteDiscard(store::WriteContext& context, std::int64_t task_id,
                                      const std::string& reason) {
  WATTMINT_ASSIGN_OR_RETURN(MintTask task, FindTask(context, task_id));
  const bool is_done = task.state == MintState::kRejected &&
                       domain::HasCode(task.reason, domain::mint_reason::kDiscarded);
  if (is_done) return task;
  if (task.state != MintState::kParked) {
    return base::FailedPrecondition("task {} is {}, not PARKED", task_id, Name(task.state));
  }
  if (!task.signed_bytes.empty()) {
    return base::FailedPrecondition(
        "task {} has signed bytes that may have been sent: RetryMint finds out what became of them",
        task_id);
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto stored, context.transaction().FindStored(task_id));
  WATTMINT_ASSERT(stored.has_value(), "task {} has no reading", task_id);
  if (task.wallet_address.empty()) task.wallet_address = stored->accepted.wallet_address;
  task.reason = fmt::format("{}: {}", domain::mint_reason::kDiscarded, reason);
  WATTMINT_RETURN_IF_ERROR(Reject(context, task));
  return FindTask(context, task_id);
}

}  // namespace wattmint::mint
