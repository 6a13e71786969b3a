// SPDX-License-Identifier: Apache-2.0
#include "core/mint/transitions.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/format.h>

#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;

// Looks before anything is written, since an op may refuse only then.
absl::Status RequireState(store::WriteContext& context, const std::vector<MintTask>& tasks,
                          MintState state) {
  for (const MintTask& task : tasks) {
    WATTMINT_ASSIGN_OR_RETURN(const auto stored, context.transaction().FindTask(task.task_id));
    if (!stored || stored->state != state) {
      return base::Aborted("task {} is {}, not {}", task.task_id,
                           stored ? Name(stored->state) : "unknown", Name(state));
    }
  }
  return absl::OkStatus();
}

absl::Status Store(store::WriteContext& context, MintTask& task, MintState expected) {
  task.update_time = context.now();
  WATTMINT_ASSIGN_OR_RETURN(const bool stored, context.transaction().UpdateTask(task, expected));
  WATTMINT_ASSERT(stored, "task {} changed within its transaction", task.task_id);
  return absl::OkStatus();
}

// Stores the task in its new state and tells so.
absl::Status Move(store::WriteContext& context, MintTask& task, MintState from, MintState to) {
  task.state = to;
  WATTMINT_RETURN_IF_ERROR(Store(context, task, from));
  return context.Append(domain::TaskStatusChanged{task.task_id, task.user_id, task.meter_id,
                                                  task.batch_id, from, to, task.reason});
}

absl::Status TellExecution(store::WriteContext& context, const MintTask& task,
                           std::int64_t ledger_height) {
  return context.Append(domain::TaskUpdated{task.task_id, task.user_id, task.meter_id,
                                            task.batch_id, task.wallet_address, task.tokens,
                                            task.transaction_signature, ledger_height});
}

absl::Status Sign(store::WriteContext& context, MintTask task) {
  task.reason.clear();
  task.attempts += 1;
  WATTMINT_RETURN_IF_ERROR(TellExecution(context, task, 0));
  return Move(context, task, MintState::kPending, MintState::kSigned);
}

absl::Status Confirm(store::WriteContext& context, MintTask& task, const ledger::Receipt& receipt) {
  task.transaction_signature = receipt.signature;
  task.reason.clear();
  WATTMINT_RETURN_IF_ERROR(TellExecution(context, task, receipt.height));
  if (receipt.fee != 0) {
    WATTMINT_RETURN_IF_ERROR(context.Append(domain::TaskFeeUpdated{
        task.task_id, task.user_id, task.meter_id, task.batch_id, 0, receipt.fee}));
  }
  WATTMINT_RETURN_IF_ERROR(Move(context, task, MintState::kSigned, MintState::kConfirmed));
  return context.Append(domain::TokensMinted{task.user_id, task.wallet_address, task.meter_id,
                                             task.energy, task.tokens, task.transaction_signature,
                                             task.reading_id, task.task_id, task.batch_id,
                                             task.interval_start});
}

absl::Status Park(store::WriteContext& context, MintTask& task, MintState from,
                  std::string reason) {
  task.reason = std::move(reason);
  return Move(context, task, from, MintState::kParked);
}

bool IsPermanent(const absl::Status& status) { return absl::IsInvalidArgument(status); }

absl::Status WriteReceipt(store::WriteContext& context, MintTask& task,
                          const absl::StatusOr<ledger::Receipt>& receipt,
                          domain::BatchMintingCompleted& batch) {
  if (!receipt.ok() && IsPermanent(receipt.status())) {
    ++batch.failed_mints;
    return Park(context, task, MintState::kSigned,
                fmt::format("LEDGER_REFUSED: {}", base::Message(receipt.status())));
  }
  if (!receipt.ok()) {
    ++batch.deferred_mints;
    task.attempts += 1;
    task.reason = fmt::format("OUTCOME_UNKNOWN: {}", base::Message(receipt.status()));
    return Store(context, task, MintState::kSigned);
  }
  const bool is_ours =
      receipt->verdict != ledger::Verdict::kConflict && receipt->tokens == task.tokens;
  if (!is_ours) {
    ++batch.failed_mints;
    return Park(context, task, MintState::kSigned,
                fmt::format("CONFLICT: the ledger minted {} base units for this reading, not {}",
                            receipt->tokens.base_units(), task.tokens.base_units()));
  }
  auto& count =
      receipt->verdict == ledger::Verdict::kMinted ? batch.successful_mints : batch.duplicate_mints;
  ++count;
  return Confirm(context, task, *receipt);
}

absl::StatusOr<MintTask> Find(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(auto task, context.transaction().FindTask(task_id));
  if (!task) return base::NotFound("there is no mint task {}", task_id);
  return *std::move(task);
}

}  // namespace

absl::Status WritePlan(store::WriteContext& context, const Plan& plan) {
  for (const auto* tasks : {&plan.to_sign, &plan.to_defer, &plan.nothing, &plan.to_park}) {
    WATTMINT_RETURN_IF_ERROR(RequireState(context, *tasks, MintState::kPending));
  }
  for (const MintTask& task : plan.to_sign) WATTMINT_RETURN_IF_ERROR(Sign(context, task));
  for (MintTask task : plan.to_defer) {
    task.batch_id.clear();
    WATTMINT_RETURN_IF_ERROR(Store(context, task, MintState::kPending));
  }
  for (MintTask task : plan.nothing) {
    task.reason = "BELOW_ONE_UNIT: carried over to the meter's next mint";
    WATTMINT_RETURN_IF_ERROR(Move(context, task, MintState::kPending, MintState::kNotApplicable));
  }
  for (MintTask task : plan.to_park) {
    WATTMINT_RETURN_IF_ERROR(Park(context, task, MintState::kPending, task.reason));
  }
  for (const auto& [meter_id, remainder] : plan.remainders) {
    WATTMINT_RETURN_IF_ERROR(context.transaction().SetRemainder(meter_id, remainder));
  }
  return absl::OkStatus();
}

absl::Status WriteReceipts(store::WriteContext& context, std::vector<MintTask> tasks,
                           const std::vector<absl::StatusOr<ledger::Receipt>>& receipts) {
  WATTMINT_ASSERT(tasks.size() == receipts.size(), "{} answers for {} mints", receipts.size(),
                  tasks.size());
  WATTMINT_RETURN_IF_ERROR(RequireState(context, tasks, MintState::kSigned));
  domain::BatchMintingCompleted batch{.batch_id = tasks.front().batch_id,
                                      .total_readings = static_cast<std::int32_t>(tasks.size())};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    WATTMINT_RETURN_IF_ERROR(WriteReceipt(context, tasks[i], receipts[i], batch));
  }
  WATTMINT_ASSERT(batch.total_readings == batch.successful_mints + batch.failed_mints +
                                              batch.deferred_mints + batch.duplicate_mints,
                  "the counts of batch {} do not add up", batch.batch_id);
  return context.Append(std::move(batch));
}

absl::StatusOr<MintTask> WriteByHand(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(MintTask task, Find(context, task_id));
  if (task.state != MintState::kPending) return task;
  task.by_hand = true;
  task.next_attempt = context.now();
  WATTMINT_RETURN_IF_ERROR(Store(context, task, MintState::kPending));
  return task;
}

absl::StatusOr<MintTask> WriteRetry(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(MintTask task, Find(context, task_id));
  if (task.state != MintState::kParked) {
    return base::FailedPrecondition("task {} is {}, not PARKED", task_id, Name(task.state));
  }
  task.attempts = 0;
  task.by_hand = true;
  task.next_attempt = context.now();
  task.reason.clear();
  task.signed_bytes.clear();
  task.transaction_signature.clear();
  WATTMINT_RETURN_IF_ERROR(Move(context, task, MintState::kParked, MintState::kPending));
  return task;
}

}  // namespace wattmint::mint
