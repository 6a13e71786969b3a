// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconciler.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/mint/supply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;
using domain::TokenAmount;
using ledger::LedgerMint;

constexpr int kPageMax = 1'000;  // rows in memory at once

// A task and a mint of one key.
struct Pair {
  std::optional<MintTask> task;
  std::optional<LedgerMint> mint;
};

class Comparison {
 public:
  Comparison(store::Queries& queries, ledger::LedgerReader& ledger, const ReconcileOptions& options)
      : queries_(queries), ledger_(ledger), options_(options) {}

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
      WATTMINT_RETURN_IF_ERROR(CheckNotCancelled());
      WATTMINT_ASSIGN_OR_RETURN(const auto tasks, queries_.ListTasks(query));
      WATTMINT_RETURN_IF_ERROR(CheckTasks(tasks));
      if (std::ssize(tasks) < kPageMax) return absl::OkStatus();
      query.after_task_id = tasks.back().task_id;
    }
  }

  // Only what the ledger lacks: what it has comes by in WalkLedger().
  absl::Status CheckTasks(const std::vector<MintTask>& tasks) {
    std::vector<std::string> keys;
    keys.reserve(tasks.size());
    for (const MintTask& task : tasks) keys.push_back(domain::IdempotencyKey(task.reading_id));
    WATTMINT_ASSIGN_OR_RETURN(const ledger::Findings findings, ledger_.LookUp(keys));
    found_.tasks_checked += std::ssize(tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (findings.mints[i]) continue;
      WATTMINT_ASSIGN_OR_RETURN(const Pair now, LookAgain(keys[i]));
      if (!now.task || now.task->state != MintState::kConfirmed || now.mint) continue;
      WATTMINT_RETURN_IF_ERROR(AddConfirmed(*now.task));
      Add(DiscrepancyKind::kMissingOnLedger, keys[i], now);
    }
    return absl::OkStatus();
  }

  absl::Status WalkLedger() {
    for (std::int64_t from = 1;;) {
      WATTMINT_RETURN_IF_ERROR(CheckNotCancelled());
      WATTMINT_ASSIGN_OR_RETURN(const auto mints, ledger_.ListMints(from, kPageMax));
      if (mints.empty()) return absl::OkStatus();
      WATTMINT_RETURN_IF_ERROR(CheckMints(mints));
      from = mints.back().height + 1;
    }
  }

  absl::Status CheckMints(const std::vector<LedgerMint>& mints) {
    std::vector<std::string> keys;
    keys.reserve(mints.size());
    for (const LedgerMint& mint : mints) keys.push_back(mint.idempotency_key);
    WATTMINT_ASSIGN_OR_RETURN(const ledger::Findings findings, ledger_.LookUp(keys));
    for (std::size_t i = 0; i < mints.size(); ++i) {
      WATTMINT_RETURN_IF_ERROR(CheckMint(mints[i], findings.mints[i]));
    }
    return absl::OkStatus();
  }

  // `by_key` is what the ledger finds by the mint's key: the mint itself, if all is well.
  absl::Status CheckMint(const LedgerMint& mint, const std::optional<LedgerMint>& by_key) {
    ++found_.mints_checked;
    WATTMINT_RETURN_IF_ERROR(AddTo(found_.on_ledger, mint.tokens));
    WATTMINT_ASSIGN_OR_RETURN(auto task, FindTask(mint.idempotency_key));
    if (!IsFurther(mint, by_key) && IsTheMintOf(task, mint)) {
      return CountConfirmed({std::move(task), mint});
    }
    WATTMINT_ASSIGN_OR_RETURN(Pair now, LookAgain(mint.idempotency_key));
    const bool is_further = IsFurther(mint, now.mint);
    return Judge({std::move(now.task), mint}, is_further);
  }

  // The tokens of a key are explained once, by the mint that the ledger finds by it.
  static bool IsFurther(const LedgerMint& mint, const std::optional<LedgerMint>& by_key) {
    return by_key && by_key->height != mint.height;
  }

  // A mint that was not simply the one of a CONFIRMED task.
  absl::Status Judge(const Pair& pair, bool is_further) {
    const auto& [task, mint] = pair;
    if (!task) return Add(DiscrepancyKind::kUnknownToLog, pair);
    if (is_further) return Add(DiscrepancyKind::kMintedAgain, pair);
    if (IsTheMintOf(task, *mint)) return CountConfirmed(pair);
    if (task->state == MintState::kConfirmed) {
      WATTMINT_RETURN_IF_ERROR(AddConfirmed(*task));
      return Add(DiscrepancyKind::kDifferent, pair);
    }
    if (IsInWork(task->state) && Agree(*task, *mint)) return AddTo(found_.in_work, mint->tokens);
    return Add(DiscrepancyKind::kNotConfirmed, pair);
  }

  static bool IsTheMintOf(const std::optional<MintTask>& task, const LedgerMint& mint) {
    return task && task->state == MintState::kConfirmed && Agree(*task, mint) &&
           task->transaction_signature == mint.signature;
  }

  absl::Status CountConfirmed(const Pair& pair) {
    const MintTask& task = *pair.task;
    WATTMINT_RETURN_IF_ERROR(AddConfirmed(task));
    const bool follows = options_.ratios.empty() ||
                         std::ranges::any_of(options_.ratios, [&task](const domain::Ratio& ratio) {
                           return domain::FollowsFrom(task.tokens, task.energy, ratio);
                         });
    return follows ? absl::OkStatus() : Add(DiscrepancyKind::kNotByEnergy, pair);
  }

  absl::StatusOr<std::optional<MintTask>> FindTask(std::string_view key) {
    const auto reading_id = domain::ReadingId::Parse(key);
    if (!reading_id) return std::nullopt;
    auto task = queries_.FindTask(reading_id->row());
    if (task.ok() && *task && (*task)->reading_id != *reading_id) return std::nullopt;
    return task;
  }

  // The task last, so that it knows of all that happened to its mint.
  absl::StatusOr<Pair> LookAgain(const std::string& key) {
    WATTMINT_ASSIGN_OR_RETURN(ledger::Findings findings, ledger_.LookUp({&key, 1}));
    WATTMINT_ASSIGN_OR_RETURN(auto task, FindTask(key));
    return Pair{std::move(task), std::move(findings.mints.front())};
  }

  absl::Status Add(DiscrepancyKind kind, const Pair& pair) {
    Add(kind, pair.mint->idempotency_key, pair);
    return absl::OkStatus();
  }

  void Add(DiscrepancyKind kind, const std::string& key, const Pair& pair) {
    ++found_.discrepancies_count;
    if (found_.discrepancies.size() == kDiscrepanciesKept) return;
    Discrepancy& discrepancy = found_.discrepancies.emplace_back();
    discrepancy.kind = kind;
    discrepancy.idempotency_key = key;
    if (pair.task) {
      discrepancy.task_id = pair.task->task_id;
      discrepancy.task_state = pair.task->state;
      discrepancy.log_tokens = pair.task->tokens;
    }
    if (pair.mint) {
      discrepancy.ledger_height = pair.mint->height;
      discrepancy.ledger_tokens = pair.mint->tokens;
    }
  }

  absl::Status CheckNotCancelled() const {
    if (!options_.is_cancelled || !options_.is_cancelled()) return absl::OkStatus();
    return base::Cancelled("the reconciliation was ended after {} mints", found_.mints_checked);
  }

  absl::Status AddConfirmed(const MintTask& task) {
    WATTMINT_RETURN_IF_ERROR(AddTo(found_.confirmed_energy, task.energy));
    return AddTo(found_.confirmed, task.tokens);
  }

  template <typename Amount>
  static absl::Status AddTo(Amount& sum, Amount amount) {
    const auto total = sum.CheckedAdd(amount);
    if (!total) return base::DataLoss("the ledger's mints overflow their sum");
    sum = *total;
    return absl::OkStatus();
  }

  store::Queries& queries_;
  ledger::LedgerReader& ledger_;
  const ReconcileOptions& options_;
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
    case DiscrepancyKind::kMintedAgain:
      return "MINTED_AGAIN";
    case DiscrepancyKind::kNotByEnergy:
      return "NOT_BY_ENERGY";
  }
  return "UNKNOWN";
}

std::string Discrepancy::ToString() const {
  const std::string task = task_state
                               ? fmt::format("task {} is {} with {} GRX", task_id,
                                             domain::Name(*task_state), log_tokens.ToString())
                               : "the log has no such reading";
  const std::string mint = ledger_height == 0
                               ? "the ledger has no such mint"
                               : fmt::format("the ledger has {} GRX at height {}",
                                             ledger_tokens.ToString(), ledger_height);
  return fmt::format("{} of {}: {}, {}", Name(kind), idempotency_key, task, mint);
}

std::int64_t Reconciliation::UnexplainedBaseUnits() const {
  return Unexplained(on_ledger, confirmed, in_work);
}

absl::StatusOr<Reconciliation> Reconcile(store::Queries& queries, ledger::LedgerReader& ledger,
                                         const ReconcileOptions& options) {
  return Comparison(queries, ledger, options).Run();
}

}  // namespace wattmint::mint
