// SPDX-License-Identifier: Apache-2.0
#include "core/mint/task_record.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;

bool IsSigned(MintState state) {
  return state == MintState::kSigned || state == MintState::kSubmitted;
}

bool IsSame(const MintTask& stored, const MintTask& task) {
  return stored.state == task.state && stored.batch_id == task.batch_id &&
         (!IsSigned(task.state) || stored.transaction_signature == task.transaction_signature);
}

MintState Told(MintState state) {
  return state == MintState::kClaimed ? MintState::kPending : state;
}

}  // namespace

absl::StatusOr<MintTask> FindTask(store::WriteContext& context, std::int64_t task_id) {
  WATTMINT_ASSIGN_OR_RETURN(auto task, context.transaction().FindTask(task_id));
  if (!task) return base::NotFound("there is no mint task {}", task_id);
  return *std::move(task);
}

absl::Status RequireUnchanged(store::WriteContext& context, const std::vector<MintTask>& tasks) {
  for (const MintTask& task : tasks) {
    WATTMINT_ASSIGN_OR_RETURN(const auto stored, context.transaction().FindTask(task.task_id));
    if (!stored || !IsSame(*stored, task)) {
      return base::Aborted("task {} was {} and is {} now, or somebody else works on it",
                           task.task_id, Name(task.state),
                           stored ? Name(stored->state) : "unknown");
    }
  }
  return absl::OkStatus();
}

absl::Status StoreTask(store::WriteContext& context, MintTask& task, MintState to) {
  const MintState from = std::exchange(task.state, to);
  task.update_time = context.now();
  WATTMINT_ASSIGN_OR_RETURN(const bool stored, context.transaction().UpdateTask(task, from));
  WATTMINT_ASSERT(stored, "task {} changed within its transaction", task.task_id);
  return absl::OkStatus();
}

absl::Status MoveTask(store::WriteContext& context, MintTask& task, MintState to) {
  const MintState from = Told(task.state);
  WATTMINT_RETURN_IF_ERROR(StoreTask(context, task, to));
  return context.Append(domain::TaskStatusChanged{task.task_id, task.user_id, task.meter_id,
                                                  task.batch_id, from, to, task.reason});
}

absl::Status ParkTask(store::WriteContext& context, MintTask& task, std::string reason) {
  task.reason = std::move(reason);
  return MoveTask(context, task, MintState::kParked);
}

absl::Status TellExecution(store::WriteContext& context, const MintTask& task,
                           std::int64_t ledger_height) {
  return context.Append(domain::TaskUpdated{task.task_id, task.user_id, task.meter_id,
                                            task.batch_id, task.wallet_address, task.tokens,
                                            task.transaction_signature, ledger_height});
}

}  // namespace wattmint::mint
