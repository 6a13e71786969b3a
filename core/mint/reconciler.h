// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/mint_state.h"
#include "core/domain/token_amount.h"
#include "core/ledger/ledger.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::mint {

// One way in which the ledger and the log disagree. Numbers are sent (wattmint.v1.Discrepancy):
// never renumber.
enum class DiscrepancyKind : std::uint8_t {
  kMissingOnLedger = 1,  // the log says CONFIRMED, the ledger has no such mint
  kDifferent = 2,        // CONFIRMED with another amount, wallet or signature than on the ledger
  kUnknownToLog = 3,     // a mint on the ledger that belongs to no reading of ours
  kNotConfirmed = 4,     // on the ledger, but the task is neither CONFIRMED nor in work with it
  kMintedAgain = 5,      // a further mint on the ledger for a key that it has minted already
  kNotByEnergy = 6,      // CONFIRMED with tokens that do not follow from the reading's energy
};

// "MISSING_ON_LEDGER" ...; "UNKNOWN" for a number that is none.
std::string_view Name(DiscrepancyKind kind);

struct Discrepancy {
  DiscrepancyKind kind = DiscrepancyKind::kMissingOnLedger;
  std::string idempotency_key;
  std::int64_t task_id = 0;                     // 0: unknown
  std::optional<domain::MintState> task_state;  // nothing: unknown
  std::int64_t ledger_height = 0;               // 0: not on the ledger
  domain::TokenAmount log_tokens;               // as the log has it
  domain::TokenAmount ledger_tokens;            // as the ledger has it

  // A sentence for a person.
  std::string ToString() const;
};

// What a reconciliation found. Healthy: no discrepancies, and the supply is explained to the last
// unit.
struct Reconciliation {
  std::int64_t tasks_checked = 0;  // CONFIRMED
  std::int64_t mints_checked = 0;  // on the ledger
  std::int64_t discrepancies_count = 0;
  std::vector<Discrepancy> discrepancies;  // the first kDiscrepanciesKept of them
  domain::TokenAmount confirmed;           // by the log
  domain::Energy confirmed_energy;         // by the log
  domain::TokenAmount in_work;             // on the ledger, about to be confirmed
  domain::TokenAmount on_ledger;

  // Above zero: the ledger has more than the log explains.
  std::int64_t UnexplainedBaseUnits() const;
  bool IsBalanced() const { return UnexplainedBaseUnits() == 0; }
  bool IsHealthy() const { return discrepancies_count == 0 && IsBalanced(); }
};

inline constexpr std::size_t kDiscrepanciesKept = 100;

struct ReconcileOptions {
  // Every ratio by which mints of this log may have been made (LoadRatios()); none: tokens are not
  // compared with energy.
  std::vector<domain::Ratio> ratios;
  // Asked between pages; true ends the reconciliation.
  std::function<bool()> is_cancelled;
};

// Compares the ledger with the log, both ways: every CONFIRMED task must be on the ledger with its
// amount, wallet and signature, and every mint on the ledger must be a task of ours. May run beside
// the minter: each mint is judged as it is at one moment, and again before it is reported. Holds
// some thousand rows at a time, however many there are. Threads: any.
// Errors: the environment's; kCancelled.
absl::StatusOr<Reconciliation> Reconcile(store::Queries& queries, ledger::LedgerReader& ledger,
                                         const ReconcileOptions& options = {});

}  // namespace wattmint::mint
