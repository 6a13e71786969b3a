// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <CLI/App.hpp>

namespace wattmint::cli {
namespace {

absl::StatusOr<ExitCode> Show(CommandContext& context) {
  std::vector<std::vector<std::string>> rows;
  for (const Setting& setting : SettingTable()) {
    std::string value = setting.get(context.settings.values);
    if (setting.is_secret && !value.empty()) value = "(set)";
    const std::string& origin = context.settings.origins.at(std::string(setting.name));
    rows.push_back({std::string(setting.name), value, origin, std::string(setting.variable)});
    context.output.Json({{"name", setting.name},
                         {"value", value},
                         {"origin", origin},
                         {"variable", setting.variable},
                         {"help", setting.help}});
  }
  context.output.Table({"setting", "value", "origin", "environment"},
                       {Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft}, rows);
  return ExitCode::kOk;
}

}  // namespace

void DeclareConfig(CLI::App& app, CommandLine& line) { line.Command(app, kEveryScope, Show); }

void DeclareVersion(CLI::App& app, CommandLine& line) {
  line.Command(app, 0, [](CommandContext& context) -> absl::StatusOr<ExitCode> {
    context.output.Json({{"version", WATTMINT_VERSION}});
    context.output.Line("wattmint " WATTMINT_VERSION);
    return ExitCode::kOk;
  });
}

}  // namespace wattmint::cli
