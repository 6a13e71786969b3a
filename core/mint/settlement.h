// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/ledger/ledger.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <string_view>
#include <vector>

namespace wattmint::mint {

// Present, with the reason as value, while minting is paused.
inline constexpr std::string_view kPausedSwitch = "minting_paused";

// What becomes of tasks that were signed, each step with its events in one transaction. Both are
// compare-and-set: kAborted, with nothing written, when a task changed since it was read. Threads:
// the writer's.

// What the ledger said to mints that were sent. `receipts` has one answer for each task, in order;
// what remains open is looked up again at the task's `next_attempt`. Without funds minting is
// paused. Appends one BatchMintingCompleted for each batch.
absl::Status WriteReceipts(store::WriteContext& context, std::vector<domain::MintTask> tasks,
                           const std::vector<absl::StatusOr<ledger::Receipt>>& receipts,
                           int attempts_max);

// What is final on the ledger of tasks that may have been sent. A mint that is there confirms its
// task. Bytes that are void (absent, and final above their expiry) are forgotten, and the task is
// PENDING again at its `next_attempt`, or PARKED after `attempts_max` attempts. `tasks` and
// `findings.mints` correspond. Appends one BatchMintingCompleted for each batch in which a task was
// settled.
// REQUIRES: each task is settled by `findings` (IsSettled()).
absl::Status WriteFindings(store::WriteContext& context, std::vector<domain::MintTask> tasks,
                           const ledger::Findings& findings, int attempts_max);

// Whether a finding decides about the task: minted, or its bytes can never be.
bool IsSettled(const domain::MintTask& task, const std::optional<ledger::LedgerMint>& mint,
               std::int64_t final_height);

// Whether minting must pause: the ledger has no funds.
bool SaysNoFunds(const std::vector<absl::StatusOr<ledger::Receipt>>& receipts);

}  // namespace wattmint::mint
