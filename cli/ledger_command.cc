// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/ledger_verification.h"
#include "cli/message_tables.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/mint.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <CLI/App.hpp>

#include <chrono>
#include <memory>

namespace wattmint::cli {
namespace {

constexpr std::chrono::hours kReconcileTimeout{1};  // it takes as long as there are mints

struct LedgerFlags {
  std::vector<std::string> wallets;
  std::string meter_id;
  VerificationOrder verification;
};

absl::StatusOr<ExitCode> Supply(const LedgerFlags&, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  const v1::GetSupplyRequest request;
  WATTMINT_ASSIGN_OR_RETURN(const auto s, link.Call(&v1::MintService::Stub::GetSupply, request));
  context.output.Json(s);
  context.output.Facts(
      {{"supply", SupplyText(s.supply_base_units(), s)},
       {"confirmed", fmt::format("{} GRX of {} kWh, {} GRX each", GrxText(s.confirmed_base_units()),
                                 s.confirmed_kwh(), s.ratio())},
       {"balanced", s.balanced() ? "yes" : "NO: ask `wattmint ledger reconcile` for the mints"},
       {"mints", fmt::format("{} on the ledger, {} confirmed", CountText(s.ledger_mints()),
                             CountText(s.confirmed_tasks()))},
       {"tasks",
        fmt::format("{} open, {} parked", CountText(s.open_tasks()), CountText(s.parked_tasks()))},
       {"minting", s.paused()      ? "paused"
                   : s.automatic() ? "automatic"
                                   : "by hand"},
       {"ledger", fmt::format("{}, public key {}", s.ledger_name(), s.ledger_public_key())}});
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Balance(const LedgerFlags& flags, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::GetBalancesRequest request;
  request.mutable_wallet_addresses()->Assign(flags.wallets.begin(), flags.wallets.end());
  WATTMINT_ASSIGN_OR_RETURN(const auto response,
                            link.Call(&v1::MintService::Stub::GetBalances, request));
  context.output.PrintList(response.balances(), BalanceColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Totals(const LedgerFlags& flags, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::GetReadingStatsRequest request;
  request.set_meter_id(flags.meter_id);
  WATTMINT_ASSIGN_OR_RETURN(auto response,
                            link.Call(&v1::ReadingService::Stub::GetReadingStats, request));
  *response.add_meters() = response.total();
  context.output.PrintList(response.meters(), MeterStatsColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Reconcile(const LedgerFlags&, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  const v1::ReconcileRequest request;
  WATTMINT_ASSIGN_OR_RETURN(
      const auto r, link.Call(&v1::MintService::Stub::Reconcile, request, kReconcileTimeout));
  context.output.Json(r);
  context.output.Facts(
      {{"time", fmt::format("{} to {}", TimeText(r.start_time()), TimeText(r.end_time()))},
       {"compared", fmt::format("{} confirmed tasks with the ledger, {} mints with the log",
                                CountText(r.tasks_checked()), CountText(r.mints_checked()))},
       {"supply", SupplyText(r.ledger_base_units(), r)},
       {"disagree", r.discrepancies_count() == 0 ? "none" : CountText(r.discrepancies_count())}});
  if (r.healthy()) return ExitCode::kOk;
  if (!context.output.IsJson()) {
    context.output.PrintList(r.discrepancies(), DiscrepancyColumns());
  }
  return base::DataLoss("ledger and log disagree in {} mints", CountText(r.discrepancies_count()));
}

absl::StatusOr<ExitCode> Verify(const LedgerFlags& flags, CommandContext& context) {
  return VerifyLedger(flags.verification, context);
}

CommandBody Body(absl::StatusOr<ExitCode> (*run)(const LedgerFlags&, CommandContext&),
                 const std::shared_ptr<LedgerFlags>& flags) {
  return [=](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

void DeclareLedger(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  // shared: by the parser and the bodies, which are kept for later.
  const auto flags = std::make_shared<LedgerFlags>();
  CLI::App* command =
      app.add_subcommand("supply", "tokens on the ledger, beside what the log says they must be");
  line.Command(*command, kClientScope, Body(Supply, flags));

  command = app.add_subcommand("balance", "what wallets hold");
  command->add_option("WALLET", flags->wallets, "wallets; if none, those of your meters");
  line.Command(*command, kClientScope, Body(Balance, flags));

  command = app.add_subcommand("totals", "readings, energy and tokens of each meter, and of all");
  command->add_option("--meter", flags->meter_id, "only this meter")->type_name("METER");
  line.Command(*command, kClientScope, Body(Totals, flags));

  command = app.add_subcommand(
      "reconcile",
      "compare the ledger with the log, mint by mint and both ways; ends with 1 if they disagree");
  line.Command(*command, kClientScope, Body(Reconcile, flags));

  command = app.add_subcommand(
      "verify",
      "check the files, without a core: the ledger's chain, signatures and balances, and that the "
      "log agrees with it; ends with 1 and names the first thing that is wrong");
  command
      ->add_option("--file", flags->verification.file,
                   "only this ledger; if not given, ledger.db and wattmint.db of --data")
      ->type_name("FILE");
  command
      ->add_option("--public-key", flags->verification.public_key,
                   "whose signatures; if not given, those of ledger.pub of --data")
      ->type_name("KEY");
  line.Command(*command, kClientScope, Body(Verify, flags));
}

}  // namespace wattmint::cli
