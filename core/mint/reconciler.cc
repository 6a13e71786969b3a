// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconciler.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"

#include <optional>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;
using domain::TokenAmount;
using ledger::LedgerMint;

constexpr int kPageMax = 1'000;  // rows in memory at once

bool IsInWork(MintState state) {
  return state == MintState::kClaimed || state == MintState::kSigned ||
         state == MintState::kSubmitted;
}

bool Agree(const MintTask& task, const LedgerMint& mint) {
  return task.tokens == mint.tokens && task.wallet_address == mint.wallet_address;
}

class Comparison {
 public:
  Comparison(store::Queries& queries, ledger::Ledger& ledger)
      : queries_(queries), ledger_(ledger) {}

  absl::StatusOr<Reconciliation> Run() {
    // The ledger last: whatever is confirmed by then was seen on it, or is seen as in work.
    WATTMINT_RETURN_IF_ERROR(WalkTasks());
    WATTMINT_RETURN_IF_ERROR(WalkLedger());
    return std::move(found_);
  }

 private:
  absl::Status WalkTasks() {
    store::TaskQuery query{.state = MintState::kConfirmed, .count_max = kPageMax};
    for (;;) {
      WATTMINT_ASSIGN_OR_RETURN(const auto tasks, queries_.ListTasks(query));
      WATTMINT_RETURN_IF_ERROR(CheckTasks(tasks));
      if (std::ssize(tasks) < kPageMax) return absl::OkStatus();
      query.after_task_id = tasks.back().task_id;
    }
  }

  absl::Status CheckTasks(const std::vector<MintTask>& tasks) {
    std::vector<std::string> keys;
    for (const MintTask& task : tasks) keys.push_back(domain::IdempotencyKey(task.reading_id));
    WATTMINT_ASSIGN_OR_RETURN(const ledger::Findings findings, ledger_.LookUp(keys));
    found_.tasks_checked += std::ssize(tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (findings.mints[i]) continue;
      WATTMINT_RETURN_IF_ERROR(Add({DiscrepancyKind::kMissingOnLedger, keys[i], tasks[i].task_id, 0,
                                    tasks[i].tokens, TokenAmount()}));
    }
    return absl::OkStatus();
  }

  absl::Status WalkLedger() {
    for (std::int64_t from = 1;;) {
      WATTMINT_ASSIGN_OR_RETURN(const auto mints, ledger_.ListMints(from, kPageMax));
      for (const LedgerMint& mint : mints) WATTMINT_RETURN_IF_ERROR(CheckMint(mint));
      if (mints.empty()) return absl::OkStatus();
      from = mints.back().height + 1;
    }
  }

  absl::Status CheckMint(const LedgerMint& mint) {
    ++found_.mints_checked;
    WATTMINT_RETURN_IF_ERROR(AddTo(found_.on_ledger, mint.tokens));
    WATTMINT_ASSIGN_OR_RETURN(const auto task, FindTask(mint.idempotency_key));
    Discrepancy difference{DiscrepancyKind::kUnknownToLog,
                           mint.idempotency_key,
                           0,
                           mint.height,
                           TokenAmount(),
                           mint.tokens};
    if (!task) return Add(std::move(difference));
    difference.task_id = task->task_id;
    difference.log_tokens = task->tokens;
    if (IsInWork(task->state) && Agree(*task, mint)) return AddTo(found_.in_work, mint.tokens);
    if (task->state == MintState::kConfirmed) {
      WATTMINT_RETURN_IF_ERROR(AddTo(found_.confirmed, task->tokens));
      if (Agree(*task, mint)) return absl::OkStatus();
      difference.kind = DiscrepancyKind::kDifferent;
    } else {
      difference.kind = DiscrepancyKind::kNotConfirmed;
    }
    return Add(std::move(difference));
  }

  absl::StatusOr<std::optional<MintTask>> FindTask(std::string_view key) {
    const auto reading_id = domain::ReadingId::Parse(key);
    if (!reading_id) return std::nullopt;
    auto task = queries_.FindTask(reading_id->row());
    if (task.ok() && *task && (*task)->reading_id != *reading_id) return std::nullopt;
    return task;
  }

  absl::Status Add(Discrepancy discrepancy) {
    ++found_.discrepancies_count;
    if (found_.discrepancies.size() < kDiscrepanciesKept) {
      found_.discrepancies.push_back(std::move(discrepancy));
    }
    return absl::OkStatus();
  }

  static absl::Status AddTo(TokenAmount& sum, TokenAmount tokens) {
    const auto total = sum.CheckedAdd(tokens);
    if (!total) return base::DataLoss("the ledger's mints overflow their sum");
    sum = *total;
    return absl::OkStatus();
  }

  store::Queries& queries_;
  ledger::Ledger& ledger_;
  Reconciliation found_;
};

}  // namespace

std::string_view Name(DiscrepancyKind kind) {
  switch (kind) {
    case DiscrepancyKind::kMissingOnLedger:
      return "MISSING_ON_LEDGER";
    case DiscrepancyKind::kDifferent:
      return "DIFFERENT";
    case DiscrepancyKind::kUnknownToLog:
      return "UNKNOWN_TO_LOG";
    case DiscrepancyKind::kNotConfirmed:
      return "NOT_CONFIRMED";
  }
  return "UNKNOWN";
}

bool Reconciliation::IsBalanced() const { return confirmed.CheckedAdd(in_work) == on_ledger; }

absl::StatusOr<Reconciliation> Reconcile(store::Queries& queries, ledger::Ledger& ledger) {
  return Comparison(queries, ledger).Run();
}

}  // namespace wattmint::mint
