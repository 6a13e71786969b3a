// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/ledger_keys.h"
#include "cli/logging.h"
#include "cli/signer_server.h"
#include "cli/stop_signal.h"
#include "core/base/base58.h"
#include "core/base/decimal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>

#include <memory>
#include <optional>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

namespace wattmint::cli {
namespace {

constexpr int kGrxDecimals = 9;

struct SignerFlags {
  std::string socket;
  bool new_key = false;
  std::string ledger_id;
  std::string grx_per_mint;
  std::string grx_per_day;
  uid_t client_uid = geteuid();
};

absl::StatusOr<std::optional<domain::TokenAmount>> ParseLimit(std::string_view flag,
                                                              const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto base_units = base::ParseDecimal(text, kGrxDecimals);
  if (base_units.ok() && *base_units > 0) return domain::TokenAmount::FromBaseUnits(*base_units);
  return base::InvalidArgument("{} is \"{}\": GRX above zero with at most {} decimals are expected",
                               flag, text, kGrxDecimals);
}

absl::StatusOr<ledger::SigningPolicy::Limits> ParseLimits(const SignerFlags& flags) {
  ledger::SigningPolicy::Limits limits;
  limits.ledger_id = flags.ledger_id;
  WATTMINT_ASSIGN_OR_RETURN(limits.per_mint, ParseLimit("--max-grx-per-mint", flags.grx_per_mint));
  WATTMINT_ASSIGN_OR_RETURN(limits.per_day, ParseLimit("--max-grx-per-day", flags.grx_per_day));
  return limits;
}

absl::StatusOr<ExitCode> RunSigner(const SignerFlags& flags, CommandContext& context) {
  const StopSignal stop;
  // Nobody but root reads the key from this process: no core dump, no debugger of the same user.
  prctl(PR_SET_DUMPABLE, 0);
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level, settings.log_format);
  WATTMINT_ASSIGN_OR_RETURN(auto limits, ParseLimits(flags));
  const DataDirectory data(settings.data_directory);
  WATTMINT_RETURN_IF_ERROR(data.Create());
  WATTMINT_ASSIGN_OR_RETURN(const base::FileLock lock, data.LockSigner());
  WATTMINT_ASSIGN_OR_RETURN(
      const auto key,
      OpenKey(settings.ledger_key, data, flags.new_key ? MissingKey::kMake : MissingKey::kRefuse));
  WATTMINT_ASSIGN_OR_RETURN(const ledger::SigningPolicy::Day day, data.SignerDay());
  ledger::SigningPolicy policy(std::move(limits), day,
                               [&data](const auto& next) { return data.KeepSignerDay(next); });
  base::SystemClock clock;
  WATTMINT_ASSIGN_OR_RETURN(const auto server, SignerServer::Open({.socket = flags.socket,
                                                                   .client_uid = flags.client_uid},
                                                                  *key, policy, clock));
  WATTMINT_ASSIGN_OR_RETURN(const base::UniqueFd stopped, stop.Descriptor());
  const std::string public_key = base::EncodeBase58(key->public_key());
  context.output.Json({{"signer", flags.socket}, {"public_key", public_key}});
  context.output.Line(fmt::format("signer listens at {}, public key {}", flags.socket, public_key));
  context.output.Flush();
  WATTMINT_RETURN_IF_ERROR(server->Run(stopped));
  return ExitCode::kOk;
}

}  // namespace

void DeclareSigner(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<SignerFlags>();
  app.add_option("--socket", flags->socket, "Unix socket to listen at; the core's --signer")
      ->type_name("PATH")
      ->required();
  app.add_flag("--new-key", flags->new_key, "make ledger.key of --data if it is not there");
  app.add_option("--ledger", flags->ledger_id, "sign for the ledger with this id alone")
      ->type_name("ID");
  app.add_option("--max-grx-per-mint", flags->grx_per_mint, "refuse a mint of more, for good")
      ->type_name("GRX");
  app.add_option("--max-grx-per-day", flags->grx_per_day,
                 "put off what is above it in a day (UTC), until the next")
      ->type_name("GRX");
  app.add_option("--client-uid", flags->client_uid,
                 "user id of the core, if it is not the signer's own; another one can't read the "
                 "key")
      ->type_name("UID");
  line.Command(app, kSignerScope,
               [=](CommandContext& context) { return RunSigner(*flags, context); });
}

}  // namespace wattmint::cli
