// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/domain/token_amount.h"
#include "core/ledger/ledger.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::mint {

// One way in which the ledger and the log disagree. Numbers are sent (wattmint.v1.Discrepancy):
// never renumber.
enum class DiscrepancyKind : std::uint8_t {
  kMissingOnLedger = 1,  // the log says CONFIRMED, the ledger has no such mint
  kDifferent = 2,        // another amount or wallet on the ledger
  kUnknownToLog = 3,     // a mint on the ledger that belongs to no reading of ours
  kNotConfirmed = 4,     // on the ledger, but the task is neither CONFIRMED nor in work
};

std::string_view Name(DiscrepancyKind kind);

struct Discrepancy {
  DiscrepancyKind kind = DiscrepancyKind::kMissingOnLedger;
  std::string idempotency_key;
  std::int64_t task_id = 0;           // 0: unknown
  std::int64_t ledger_height = 0;     // 0: not on the ledger
  domain::TokenAmount log_tokens;     // as the log has it
  domain::TokenAmount ledger_tokens;  // as the ledger has it
};

// What a reconciliation found. Healthy: no discrepancies, and the supply is explained to the last
// unit.
struct Reconciliation {
  std::int64_t tasks_checked = 0;  // CONFIRMED
  std::int64_t mints_checked = 0;  // on the ledger
  std::int64_t discrepancies_count = 0;
  std::vector<Discrepancy> discrepancies;  // the first kDiscrepanciesKept of them
  domain::TokenAmount confirmed;           // by the log
  domain::TokenAmount in_work;             // on the ledger, about to be confirmed
  domain::TokenAmount on_ledger;

  // The supply equation: what is on the ledger is what was confirmed and what is about to be.
  bool IsBalanced() const;
  bool IsHealthy() const { return discrepancies_count == 0 && IsBalanced(); }
};

inline constexpr std::size_t kDiscrepanciesKept = 100;

// Compares the ledger with the log, both ways: every CONFIRMED task must be on the ledger with its
// amount and wallet, and every mint on the ledger must be a task of ours. May run beside the
// minter: what it does meanwhile is in work, and no discrepancy. Threads: any. Errors: the
// environment's.
absl::StatusOr<Reconciliation> Reconcile(store::Queries& queries, ledger::Ledger& ledger);

}  // namespace wattmint::mint
