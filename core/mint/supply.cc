// SPDX-License-Identifier: Apache-2.0
#include "core/mint/supply.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace wattmint::mint {
namespace {

__extension__ using Int128 = __int128;

using domain::MintState;
using domain::MintTask;
using domain::TokenAmount;

constexpr int kTriesMax = 8;  // chosen: a busy minter leaves the ledger alone most of the time

// What the ledger already has of the tasks in work.
absl::StatusOr<TokenAmount> SumInWork(const std::vector<MintTask>& tasks,
                                      ledger::LedgerReader& ledger) {
  TokenAmount sum;
  if (tasks.empty()) return sum;
  std::vector<std::string> keys;
  keys.reserve(tasks.size());
  for (const MintTask& task : tasks) keys.push_back(domain::IdempotencyKey(task.reading_id));
  WATTMINT_ASSIGN_OR_RETURN(const ledger::Findings findings, ledger.LookUp(keys));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!findings.mints[i] || !Agree(tasks[i], *findings.mints[i])) continue;
    const auto total = sum.CheckedAdd(tasks[i].tokens);
    if (!total) return base::DataLoss("the mints in work overflow their sum");
    sum = *total;
  }
  return sum;
}

}  // namespace

bool IsInWork(MintState state) {
  return state == MintState::kClaimed || state == MintState::kSigned ||
         state == MintState::kSubmitted;
}

bool Agree(const MintTask& task, const ledger::LedgerMint& mint) {
  return task.tokens == mint.tokens && task.wallet_address == mint.wallet_address;
}

std::int64_t Unexplained(TokenAmount on_ledger, TokenAmount confirmed, TokenAmount in_work) {
  constexpr Int128 kMin = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  const Int128 rest =
      Int128{on_ledger.base_units()} - confirmed.base_units() - in_work.base_units();
  return static_cast<std::int64_t>(std::clamp(rest, kMin, kMax));
}

absl::StatusOr<SupplyCheck> CheckSupply(store::Queries& queries, ledger::LedgerReader& ledger) {
  for (int tries = 1;; ++tries) {
    SupplyCheck check;
    WATTMINT_ASSIGN_OR_RETURN(const ledger::Supply before, ledger.GetSupply());
    WATTMINT_ASSIGN_OR_RETURN(check.tasks, queries.GetTaskOverview());
    WATTMINT_ASSIGN_OR_RETURN(check.in_work, SumInWork(check.tasks.in_work, ledger));
    WATTMINT_ASSIGN_OR_RETURN(check.on_ledger, ledger.GetSupply());
    const auto confirmed = TokenAmount::FromBaseUnits(check.tasks.sums.confirmed_base_units);
    const std::int64_t least = Unexplained(before.tokens, confirmed, check.in_work);
    const std::int64_t most = Unexplained(check.on_ledger.tokens, confirmed, check.in_work);
    // Equal unless the ledger moved meanwhile; the truth lies between the two.
    check.unexplained_base_units = std::clamp<std::int64_t>(0, least, std::max(least, most));
    if (least == most || tries == kTriesMax) return check;
  }
}

}  // namespace wattmint::mint
