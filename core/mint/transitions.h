// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/mint/planner.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace wattmint::mint {

// The transitions of mint tasks up to SIGNED, and those that a person asks for, each with its
// events in one transaction. Every one is a compare-and-set. Threads: the writer's.

// PENDING to CLAIMED by `batch_id` until `lease_end`, without a word. Answers those that it got, as
// they are now: a task that is not due any more belongs to somebody else.
absl::StatusOr<std::vector<domain::MintTask>> WriteClaims(store::WriteContext& context,
                                                          const std::vector<domain::MintTask>& due,
                                                          const std::string& batch_id,
                                                          domain::Time lease_end);

// CLAIMED back to PENDING, by the one that claimed: nothing came of it. What belongs to somebody
// else by now is left alone.
absl::Status WriteReturns(store::WriteContext& context,
                          const std::vector<domain::MintTask>& claimed);

// CLAIMED to what the plan says. kAborted, with nothing written, when a lease was lost, or another
// mint of the same meter, or of the same day if that is capped, came between.
absl::Status WritePlan(store::WriteContext& context, const Plan& plan);

// CLAIMED, whose lease is over, to PENDING; to PARKED after `attempts_max` attempts, since whoever
// claimed it may have died of it. What changed meanwhile is left alone.
absl::Status WriteReleases(store::WriteContext& context,
                           const std::vector<domain::MintTask>& expired, int attempts_max);

// PENDING, to be worked also while automatic minting is off. Answers the task as it is then.
// kNotFound.
absl::StatusOr<domain::MintTask> WriteByHand(store::WriteContext& context, std::int64_t task_id);

// PARKED back to work: to SUBMITTED when it has signed bytes, whose fate is found out before
// anything is signed anew, else to PENDING. A jump that is let out of quarantine raises the meter's
// peak, so that the next like it is none. kNotFound, kFailedPrecondition.
absl::StatusOr<domain::MintTask> WriteRetry(store::WriteContext& context, std::int64_t task_id);

// PARKED to REJECTED for good; the owner hears of it. What may have been sent is not discarded: its
// fate is found out first. Doing so twice is the same. kNotFound, kFailedPrecondition.
absl::StatusOr<domain::MintTask> WriteDiscard(store::WriteContext& context, std::int64_t task_id,
                                              const std::string& reason);

}  // namespace wattmint::mint
