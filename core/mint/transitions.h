// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/ledger/ledger.h"
#include "core/mint/planner.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <vector>

namespace wattmint::mint {

// The transitions of mint tasks, each with its events, as they are written in one transaction.
// Every one is a compare-and-set: kAborted, with nothing written, when a task is not in the state
// that it must be in. Threads: the writer's.

// PENDING to SIGNED (`plan.to_sign`, whose signed bytes are set), and what else the plan says.
absl::Status WritePlan(store::WriteContext& context, const Plan& plan);

// SIGNED to what the ledger answered; an unknown outcome remains SIGNED. `receipts` has one answer
// for each task, in order. All tasks are of one batch.
absl::Status WriteReceipts(store::WriteContext& context, std::vector<domain::MintTask> tasks,
                           const std::vector<absl::StatusOr<ledger::Receipt>>& receipts);

// PENDING, to be worked also while automatic minting is off. Answers the task as it is then.
// kNotFound.
absl::StatusOr<domain::MintTask> WriteByHand(store::WriteContext& context, std::int64_t task_id);

// PARKED to PENDING. kNotFound, kFailedPrecondition.
absl::StatusOr<domain::MintTask> WriteRetry(store::WriteContext& context, std::int64_t task_id);

}  // namespace wattmint::mint
