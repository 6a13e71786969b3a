// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"

#include <absl/status/statusor.h>

#include <string>

namespace wattmint::cli {

struct VerificationOrder {
  std::string file;        // the ledger's; empty: that of the data directory, and the log beside it
  std::string public_key;  // base58; empty: of the data directory's ledger.pub
};

// Checks the ledger's file from its first entry to its last, and compares it with the log, without
// asking a core; changes neither file. A core may run meanwhile: then what it keeps changing is not
// compared, which is said. Errors: kDataLoss names the first thing that is wrong.
absl::StatusOr<ExitCode> VerifyLedger(const VerificationOrder& order, CommandContext& context);

}  // namespace wattmint::cli
