// SPDX-License-Identifier: Apache-2.0
#include "core/mint/verification.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/mint/ratio_history.h"

#include <fmt/format.h>

namespace wattmint::mint {
namespace {

absl::Status SayFirst(const Reconciliation& found) {
  const std::string more = found.discrepancies_count == 1
                               ? ""
                               : fmt::format(" (and {} more)", found.discrepancies_count - 1);
  return base::DataLoss("{}{}", found.discrepancies.front().ToString(), more);
}

absl::Status CheckSums(const Reconciliation& found, store::Queries& queries,
                       ledger::LedgerReader& ledger) {
  WATTMINT_ASSIGN_OR_RETURN(const store::TaskSums sums, queries.SumTasks());
  const auto summed_tokens = domain::TokenAmount::FromBaseUnits(sums.confirmed_base_units);
  const auto summed_energy = domain::Energy::FromNanoKwh(sums.confirmed_nano_kwh);
  if (sums.confirmed != found.tasks_checked || summed_tokens != found.confirmed ||
      summed_energy != found.confirmed_energy) {
    return base::DataLoss(
        "the log's sums say that {} tasks were confirmed, {} GRX for {} kWh, but its tasks say {}, "
        "{} GRX for {} kWh",
        sums.confirmed, summed_tokens.ToString(), summed_energy.ToString(), found.tasks_checked,
        found.confirmed.ToString(), found.confirmed_energy.ToString());
  }
  WATTMINT_ASSIGN_OR_RETURN(const ledger::Supply supply, ledger.GetSupply());
  if (supply.tokens == found.on_ledger && supply.mints == found.mints_checked) {
    return absl::OkStatus();
  }
  return base::DataLoss("the ledger says that its supply is {} GRX in {} mints, but has {} in {}",
                        supply.tokens.ToString(), supply.mints, found.on_ledger.ToString(),
                        found.mints_checked);
}

}  // namespace

absl::StatusOr<Reconciliation> VerifyLog(store::Queries& queries, ledger::LedgerReader& ledger,
                                         Beside beside) {
  ReconcileOptions options;
  WATTMINT_ASSIGN_OR_RETURN(options.ratios, LoadRatios(queries));
  WATTMINT_ASSIGN_OR_RETURN(Reconciliation found, Reconcile(queries, ledger, options));
  if (found.discrepancies_count > 0) return SayFirst(found);
  if (!found.IsBalanced()) {
    return base::DataLoss("{} GRX are on the ledger, but {} confirmed and {} in work",
                          found.on_ledger.ToString(), found.confirmed.ToString(),
                          found.in_work.ToString());
  }
  if (beside == Beside::kNobody) {
    WATTMINT_RETURN_IF_ERROR(CheckSums(found, queries, ledger));
  }
  return found;
}

}  // namespace wattmint::mint
