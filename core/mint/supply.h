// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_task.h"
#include "core/domain/token_amount.h"
#include "core/ledger/ledger.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

#include <cstdint>

namespace wattmint::mint {

// Whether the ledger may have the mint of such a task though it is not CONFIRMED yet.
bool IsInWork(domain::MintState state);
// Whether the mint is the one that the task asks for.
bool Agree(const domain::MintTask& task, const ledger::LedgerMint& mint);

// on_ledger - confirmed - in_work; what does not fit is the nearest number that does.
std::int64_t Unexplained(domain::TokenAmount on_ledger, domain::TokenAmount confirmed,
                         domain::TokenAmount in_work);

// The supply equation: what is on the ledger is what was confirmed and what is about to be. Nothing
// burns tokens.
struct SupplyCheck {
  ledger::Supply on_ledger;
  store::TaskOverview tasks;
  domain::TokenAmount in_work;              // on the ledger, and about to be confirmed
  std::int64_t unexplained_base_units = 0;  // above zero: the ledger has more than the log explains

  bool IsBalanced() const { return unexplained_base_units == 0; }
};

// Compares sums, in a time that does not grow with the number of mints; Reconcile() compares mint
// by mint. Beside a running minter it answers for one moment; when the ledger moved at every try,
// what moved counts as explained. Threads: any. Errors: the environment's.
absl::StatusOr<SupplyCheck> CheckSupply(store::Queries& queries, ledger::LedgerReader& ledger);

}  // namespace wattmint::mint
