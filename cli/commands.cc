// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace wattmint::cli {

std::span<const CommandEntry> CommandTable() {
  static constexpr CommandEntry kTable[] = {
      {"up", "run core and bridge in one process", DeclareUp},
      {"core", "run the core: gRPC, database, minter", DeclareCore},
      {"bridge", "run a bridge: dashboard and WebSocket, fed by a core", DeclareBridge},
      {"signer", "keep the ledger's key in a process of its own, and sign for a core",
       DeclareSigner},
      {"import", "submit the readings of CSV files", DeclareImport},
      {"submit", "submit one reading", DeclareSubmit},
      {"reading", "look at accepted readings, withdraw and correct them", DeclareReading},
      {"watch", "follow the event log", DeclareWatch},
      {"meter", "register meters and look at them", DeclareMeter},
      {"mint", "look at mint tasks and steer the minter", DeclareMint},
      {"alert", "tell everybody, or one user, something", DeclareAlert},
      {"key", "make and revoke API keys and tickets", DeclareKey},
      {"ledger", "supply, balances, totals, and a check of the ledger's file", DeclareLedger},
      {"backup", "copy databases and keys of --data, also while a core runs", DeclareBackup},
      {"restore", "make --data, which must be new, from a backup", DeclareRestore},
      {"check", "check the promises of the event stream on a live server", DeclareCheck},
      {"status", "whether core and bridge run, and how far they are", DeclareStatus},
      {"bench", "measure a core that runs, beside a bare gRPC server", DeclareBench},
      {"config", "show the effective settings and where each comes from", DeclareConfig},
      {"version", "show the version", DeclareVersion},
  };
  return kTable;
}

}  // namespace wattmint::cli
