// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_process.h"
#include "cli/logging.h"
#include "cli/stop_signal.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>

namespace wattmint::cli {
namespace {

absl::StatusOr<ExitCode> Run(CommandContext& context) {
  StopSignal stop;
  const Settings& settings = context.settings.values;
  StartLog(settings.log_level);
  WATTMINT_ASSIGN_OR_RETURN(const auto core,
                            CoreProcess::Start(settings, DataDirectory(settings.data_directory)));
  context.output.Line("core listens at " + core->address());
  context.output.Json({{"core", core->address()}});
  context.output.Flush();
  stop.Wait();
  core->Stop();
  return ExitCode::kOk;
}

}  // namespace

void DeclareCore(CLI::App& app, CommandLine& line) { line.Command(app, kCoreScope, Run); }

}  // namespace wattmint::cli
