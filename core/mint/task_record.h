// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/store/commit_queue.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace wattmint::mint {

// How a mint task is written down, and told. Threads: the writer's. Errors: the environment's, and
// what each function says.

// The task as it is stored. kNotFound.
absl::StatusOr<domain::MintTask> FindTask(store::WriteContext& context, std::int64_t task_id);

// kAborted, with nothing written, unless each task is stored in the state, in the batch and, from
// SIGNED on, with the signature that it has here. Whoever read a task and acts on it asks this
// before anything is written.
absl::Status RequireUnchanged(store::WriteContext& context,
                              const std::vector<domain::MintTask>& tasks);

// Stores the task in state `to` and tells so. A claim is a lease and is not told: what leaves
// CLAIMED is told as leaving PENDING. REQUIRES: `task.state` is the stored state.
absl::Status MoveTask(store::WriteContext& context, domain::MintTask& task, domain::MintState to);

// Stores the task in state `to` without a word. REQUIRES: as MoveTask().
absl::Status StoreTask(store::WriteContext& context, domain::MintTask& task, domain::MintState to);

// Sets it aside for a person.
absl::Status ParkTask(store::WriteContext& context, domain::MintTask& task, std::string reason);

// Tells what is known of its execution; `ledger_height` is 0 until it is on the ledger.
absl::Status TellExecution(store::WriteContext& context, const domain::MintTask& task,
                           std::int64_t ledger_height);

}  // namespace wattmint::mint
