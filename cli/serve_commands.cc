// SPDX-License-Identifier: Apache-2.0
#include "cli/bridge_process.h"
#include "cli/commands.h"
#include "cli/core_process.h"
#include "cli/logging.h"
#include "cli/stop_signal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>

#include <csignal>
#include <sys/resource.h>

namespace wattmint::cli {
namespace {

// Takes as many descriptors as the system permits, whose default is for programs that use select();
// and clients that have left are no reason to end.
void PrepareProcess() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Where the programs listen, once they do.
void SayReady(Output& output, const CoreProcess* core, const BridgeProcess* bridge) {
  nlohmann::ordered_json json;
  if (core != nullptr) {
    json["core"] = core->address();
    output.Line("core listens at " + core->address());
    if (!core->metrics_address().empty()) {
      json["metrics"] = core->metrics_address();
      output.Line("metrics are at http://" + core->metrics_address() + "/metrics");
    }
  }
  if (bridge != nullptr) {
    json["bridge"] = bridge->address();
    output.Line("bridge listens at " + bridge->scheme() + "://" + bridge->address() + "/");
    if (!bridge->metrics_address().empty()) {
      json["bridge_metrics"] = bridge->metrics_address();
      output.Line("metrics of the bridge are at http://" + bridge->metrics_address() + "/metrics");
    }
  }
  output.Json(json);
  output.Flush();
}

absl::StatusOr<ExitCode> RunCore(CommandContext& context) {
  StopSignal stop(StopSignal::Hangup::kIsNews);
  PrepareProcess();
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level, settings.log_format);
  WATTMINT_ASSIGN_OR_RETURN(const auto core,
                            CoreProcess::Start(settings, DataDirectory(settings.data_directory)));
  SayReady(context.output, core.get(), nullptr);
  stop.Wait([&core = *core] { core.Reload(); });
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunBridge(CommandContext& context) {
  StopSignal stop(StopSignal::Hangup::kIsNews);
  PrepareProcess();
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level, settings.log_format);
  WATTMINT_ASSIGN_OR_RETURN(
      const auto bridge,
      BridgeProcess::Start(context.settings, DataDirectory(settings.data_directory)));
  SayReady(context.output, nullptr, bridge.get());
  stop.Wait([&bridge = *bridge] { bridge.Reload(); });
  return ExitCode::kOk;
}

// The bridge calls the core by a name that is in its certificate, and checks that.
absl::Status CheckWayToOwnCore(const Settings& settings) {
  if (settings.grpc_certificate.empty()) return absl::OkStatus();
  if (!settings.core_ca.empty() && !settings.core_address.empty()) return absl::OkStatus();
  return base::InvalidArgument(
      "with --grpc-certificate, the bridge of `up` reaches the core by TLS as well: set --core to "
      "HOST:PORT with a host that the certificate names, and --core-ca");
}

absl::StatusOr<ExitCode> RunUp(CommandContext& context) {
  StopSignal stop(StopSignal::Hangup::kIsNews);
  PrepareProcess();
  ResolvedSettings settings = context.settings;
  StartLog(settings.values.log_level, settings.values.log_format);
  WATTMINT_RETURN_IF_ERROR(CheckWayToOwnCore(settings.values));
  const DataDirectory data(settings.values.data_directory);
  WATTMINT_ASSIGN_OR_RETURN(const auto core, CoreProcess::Start(settings.values, data));
  if (settings.values.grpc_certificate.empty()) settings.values.core_address = core->address();
  // The bridge comes by the relay.key beside it, whatever commands come by.
  for (std::string Settings::*credential :
       {&Settings::token, &Settings::token_file, &Settings::api_key, &Settings::api_key_file}) {
    (settings.values.*credential).clear();
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto bridge, BridgeProcess::Start(settings, data));
  SayReady(context.output, core.get(), bridge.get());
  stop.Wait([&core = *core, &bridge = *bridge] {
    core.Reload();
    bridge.Reload();
  });
  // The bridge first, so that its clients hear of it while the core still answers.
  bridge->Stop();
  core->Stop();
  return ExitCode::kOk;
}

}  // namespace

void DeclareUp(CLI::App& app, CommandLine& line) {
  line.Command(app, kServerScope, RunUp);
  line.Defaults(app, [](Settings& settings) { settings.mints.automatic = true; });
}

void DeclareCore(CLI::App& app, CommandLine& line) { line.Command(app, kCoreScope, RunCore); }

void DeclareBridge(CLI::App& app, CommandLine& line) { line.Command(app, kBridgeScope, RunBridge); }

}  // namespace wattmint::cli
