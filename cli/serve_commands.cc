// SPDX-License-Identifier: Apache-2.0
#include "cli/bridge_process.h"
#include "cli/commands.h"
#include "cli/core_process.h"
#include "cli/logging.h"
#include "cli/stop_signal.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>

namespace wattmint::cli {
namespace {

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
    output.Line("bridge listens at http://" + bridge->address() + "/");
  }
  output.Json(json);
  output.Flush();
}

absl::StatusOr<ExitCode> RunCore(CommandContext& context) {
  StopSignal stop;
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level);
  WATTMINT_ASSIGN_OR_RETURN(const auto core,
                            CoreProcess::Start(settings, DataDirectory(settings.data_directory)));
  SayReady(context.output, core.get(), nullptr);
  stop.Wait();
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunBridge(CommandContext& context) {
  StopSignal stop;
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level);
  WATTMINT_ASSIGN_OR_RETURN(
      const auto bridge,
      BridgeProcess::Start(context.settings, DataDirectory(settings.data_directory)));
  SayReady(context.output, nullptr, bridge.get());
  stop.Wait();
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunUp(CommandContext& context) {
  StopSignal stop;
  ResolvedSettings settings = context.settings;
  StartLog(settings.values.log_level);
  const DataDirectory data(settings.values.data_directory);
  WATTMINT_ASSIGN_OR_RETURN(const auto core, CoreProcess::Start(settings.values, data));
  settings.values.core_address = core->address();
  // The bridge comes by the relay.key beside it, whatever commands come by.
  for (std::string Settings::*credential :
       {&Settings::token, &Settings::token_file, &Settings::api_key, &Settings::api_key_file}) {
    (settings.values.*credential).clear();
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto bridge, BridgeProcess::Start(settings, data));
  SayReady(context.output, core.get(), bridge.get());
  stop.Wait();
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
