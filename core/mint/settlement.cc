// SPDX-License-Identifier: Apache-2.0
#include "core/mint/settlement.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/mint/task_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::BatchMintingCompleted;
using domain::MintState;
using domain::MintTask;
using ledger::Receipt;
using ledger::Verdict;

// What was counted of each batch.
class Tally {
 public:
  BatchMintingCompleted& Of(const MintTask& task) {
    BatchMintingCompleted& batch = batches_[task.batch_id];
    batch.batch_id = task.batch_id;
    ++batch.total_readings;
    return batch;
  }

  absl::Status Append(store::WriteContext& context) const {
    for (const auto& [batch_id, batch] : batches_) {
      WATTMINT_ASSERT(batch.total_readings == batch.successful_mints + batch.failed_mints +
                                                  batch.deferred_mints + batch.duplicate_mints,
                      "the counts of batch {} do not add up", batch_id);
      WATTMINT_RETURN_IF_ERROR(context.Append(batch));
    }
    return absl::OkStatus();
  }

 private:
  std::map<std::string, BatchMintingCompleted> batches_;  // in order, so that a replay is the same
};

absl::Status Confirm(store::WriteContext& context, MintTask& task, std::string signature,
                     std::int64_t height, std::int64_t fee) {
  task.transaction_signature = std::move(signature);
  task.reason.clear();
  WATTMINT_RETURN_IF_ERROR(TellExecution(context, task, height));
  if (fee != 0) {
    WATTMINT_RETURN_IF_ERROR(context.Append(
        domain::TaskFeeUpdated{task.task_id, task.user_id, task.meter_id, task.batch_id, 0, fee}));
  }
  WATTMINT_RETURN_IF_ERROR(MoveTask(context, task, MintState::kConfirmed));
  return context.Append(domain::TokensMinted{task.user_id, task.wallet_address, task.meter_id,
                                             task.energy, task.tokens, task.transaction_signature,
                                             task.reading_id, task.task_id, task.batch_id,
                                             task.interval_start});
}

absl::Status ParkConflict(store::WriteContext& context, MintTask& task,
                          domain::TokenAmount minted) {
  return ParkTask(context, task,
                  fmt::format("CONFLICT: the ledger minted {} base units for this reading, not {}",
                              minted.base_units(), task.tokens.base_units()));
}

// The outcome is open: SUBMITTED, until it is looked up.
absl::Status LeaveOpen(store::WriteContext& context, MintTask& task, std::string reason) {
  task.reason = std::move(reason);
  task.sends += 1;
  return task.state == MintState::kSubmitted ? StoreTask(context, task, MintState::kSubmitted)
                                             : MoveTask(context, task, MintState::kSubmitted);
}

absl::Status TryLater(store::WriteContext& context, MintTask& task, const absl::Status& why,
                      int attempts_max) {
  task.attempts += 1;
  if (task.attempts >= attempts_max) {
    return ParkTask(context, task, fmt::format("ATTEMPTS_USED_UP: {}", base::Message(why)));
  }
  task.reason = fmt::format("NOT_TAKEN: {}", base::Message(why));
  return StoreTask(context, task, task.state);
}

absl::Status WriteRefusal(store::WriteContext& context, MintTask& task, const absl::Status& why,
                          int attempts_max, BatchMintingCompleted& batch) {
  if (absl::IsInvalidArgument(why)) {
    ++batch.failed_mints;
    return ParkTask(context, task, fmt::format("LEDGER_REFUSED: {}", base::Message(why)));
  }
  if (absl::IsAborted(why)) {
    WATTMINT_RETURN_IF_ERROR(TryLater(context, task, why, attempts_max));
    ++(task.state == MintState::kParked ? batch.failed_mints : batch.deferred_mints);
    return absl::OkStatus();
  }
  ++batch.deferred_mints;
  if (absl::IsResourceExhausted(why)) {
    task.reason = fmt::format("NO_FUNDS: {}", base::Message(why));
    return StoreTask(context, task, task.state);
  }
  return LeaveOpen(context, task, fmt::format("OUTCOME_UNKNOWN: {}", base::Message(why)));
}

absl::Status WriteReceipt(store::WriteContext& context, MintTask& task, const Receipt& receipt,
                          BatchMintingCompleted& batch) {
  const bool is_amount = receipt.tokens == task.tokens;
  if (receipt.verdict == Verdict::kAccepted ||
      (receipt.verdict == Verdict::kConflict && is_amount)) {
    // In a conflict of wallets the amount was minted: looking it up tells to which.
    ++batch.deferred_mints;
    return LeaveOpen(context, task, "NOT_FINAL: the ledger has taken it");
  }
  if (receipt.verdict == Verdict::kConflict || !is_amount) {
    ++batch.failed_mints;
    return ParkConflict(context, task, receipt.tokens);
  }
  ++(receipt.verdict == Verdict::kMinted ? batch.successful_mints : batch.duplicate_mints);
  return Confirm(context, task, receipt.signature, receipt.height, receipt.fee);
}

absl::Status WriteMint(store::WriteContext& context, MintTask& task, const ledger::LedgerMint& mint,
                       BatchMintingCompleted& batch) {
  if (mint.tokens != task.tokens) {
    ++batch.failed_mints;
    return ParkConflict(context, task, mint.tokens);
  }
  ++(mint.signature == task.transaction_signature ? batch.successful_mints : batch.duplicate_mints);
  task.wallet_address = mint.wallet_address;  // the tokens are where they are
  return Confirm(context, task, mint.signature, mint.height, 0);
}

absl::Status WriteVoid(store::WriteContext& context, MintTask& task, int attempts_max,
                       BatchMintingCompleted& batch) {
  task.signed_bytes.clear();
  task.transaction_signature.clear();
  task.expiry_height = 0;
  if (task.attempts >= attempts_max) {
    ++batch.failed_mints;
    return ParkTask(context, task,
                    fmt::format("EXPIRED: signed {} times and never minted", task.attempts));
  }
  ++batch.deferred_mints;
  task.reason = "EXPIRED: the signed bytes are void; it will be signed anew";
  return MoveTask(context, task, MintState::kPending);
}

}  // namespace

absl::Status WriteReceipts(store::WriteContext& context, std::vector<MintTask> tasks,
                           const std::vector<absl::StatusOr<Receipt>>& receipts, int attempts_max) {
  WATTMINT_ASSERT(tasks.size() == receipts.size(), "{} answers for {} mints", receipts.size(),
                  tasks.size());
  WATTMINT_RETURN_IF_ERROR(RequireUnchanged(context, tasks));
  Tally tally;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    BatchMintingCompleted& batch = tally.Of(tasks[i]);
    WATTMINT_RETURN_IF_ERROR(
        receipts[i].ok()
            ? WriteReceipt(context, tasks[i], *receipts[i], batch)
            : WriteRefusal(context, tasks[i], receipts[i].status(), attempts_max, batch));
  }
  if (SaysNoFunds(receipts)) {
    const std::string reason = "NO_FUNDS: the ledger cannot pay for mints";
    WATTMINT_RETURN_IF_ERROR(context.transaction().SetSwitch(kPausedSwitch, reason));
    WATTMINT_RETURN_IF_ERROR(context.Append(domain::MintingSwitched{true, reason}));
  }
  return tally.Append(context);
}

absl::Status WriteFindings(store::WriteContext& context, std::vector<MintTask> tasks,
                           const ledger::Findings& findings, int attempts_max) {
  WATTMINT_ASSERT(tasks.size() == findings.mints.size(), "{} findings for {} tasks",
                  findings.mints.size(), tasks.size());
  WATTMINT_RETURN_IF_ERROR(RequireUnchanged(context, tasks));
  Tally tally;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& mint = findings.mints[i];
    WATTMINT_ASSERT(IsSettled(tasks[i], mint, findings.final_height), "task {} is open",
                    tasks[i].task_id);
    BatchMintingCompleted& batch = tally.Of(tasks[i]);
    WATTMINT_RETURN_IF_ERROR(mint ? WriteMint(context, tasks[i], *mint, batch)
                                  : WriteVoid(context, tasks[i], attempts_max, batch));
  }
  return tally.Append(context);
}

bool IsSettled(const MintTask& task, const std::optional<ledger::LedgerMint>& mint,
               std::int64_t final_height) {
  return mint.has_value() || final_height > task.expiry_height;
}

bool SaysNoFunds(const std::vector<absl::StatusOr<Receipt>>& receipts) {
  return std::ranges::any_of(
      receipts, [](const auto& receipt) { return absl::IsResourceExhausted(receipt.status()); });
}

}  // namespace wattmint::mint
