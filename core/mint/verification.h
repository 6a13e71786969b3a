// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"
#include "core/mint/reconciler.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

namespace wattmint::mint {

// Who else has the files open.
enum class Beside {
  kNobody,
  kRunningCore,  // what is summed up moves, so that only mints are compared
};

// Compares a log and a ledger that are looked at from outside: all that Reconcile() does, by every
// ratio that the log remembers; and, if nobody changes them, the sums that each keeps with its
// rows. Threads: any. Errors: kDataLoss with a sentence that names the first thing that is wrong,
// and how much more; the environment's.
absl::StatusOr<Reconciliation> VerifyLog(store::Queries& queries, ledger::LedgerReader& ledger,
                                         Beside beside);

}  // namespace wattmint::mint
