// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "cli/commands.h"
#include "core/base/status.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace wattmint::cli {
namespace {

constexpr std::string_view kFooter = R"(
Exit codes: 0 done; 1 failed, the reason is on standard error; 2 wrong flags, settings or arguments;
3 done, but some rows were refused or broken.)";

std::string HelpOf(const Setting& setting, const Settings& defaults) {
  const std::string value = setting.get(defaults);
  return fmt::format("{}{}; environment: {}", setting.help,
                     value.empty() ? "" : fmt::format(" (default: {})", value), setting.variable);
}

// Names of the specifications that are not offered, and why.
std::string WithheldHelp() {
  std::string text = "Refused, since they would have no effect:\n";
  for (const WithheldVariable& withheld : WithheldVariables()) {
    text += fmt::format("  {}: {}\n", withheld.variable, withheld.reason);
  }
  return text;
}

ExitCode Report(const absl::Status& status, std::FILE* error) {
  fmt::print(error, "wattmint: {}\n", base::Message(status));
  return absl::IsInvalidArgument(status) ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace

void CommandLine::Command(CLI::App& app, int scopes, CommandBody body) {
  app.add_option("--output", output_, "table for people, or json: one object a line")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("table|json");
  app.add_option("--config", config_file_, "settings file (TOML); environment: WATTMINT_CONFIG")
      ->type_name("FILE");
  for (const Setting& setting : SettingTable()) {
    if (setting.is_secret || (setting.scopes & scopes) == 0) continue;
    app.add_option_function<std::string>(
           "--" + std::string(setting.name),
           [this, name = std::string(setting.name)](const std::string& text) {
             flags_[name] = text;
           },
           HelpOf(setting, Settings()))
        ->type_name(std::string(setting.type))
        ->group("Settings");
  }
  std::string footer(kFooter);
  if ((scopes & kBridgeScope) != 0) footer = "\n" + WithheldHelp() + footer;
  app.footer(footer);
  app.callback([this, &app, body = std::move(body)] {
    body_ = body;
    chosen_ = &app;
  });
}

void CommandLine::Defaults(CLI::App& app, std::function<void(Settings&)> change) {
  changes_[&app] = std::move(change);
}

ExitCode CommandLine::Run(const std::vector<std::pair<std::string, std::string>>& environment,
                          std::FILE* out, std::FILE* error) {
  Settings defaults;
  if (const auto change = changes_.find(chosen_); change != changes_.end()) {
    change->second(defaults);
  }
  const absl::StatusOr<ResolvedSettings> settings =
      ResolveSettings(defaults, {config_file_, environment, flags_});
  if (!settings.ok()) {
    Report(settings.status(), error);
    return ExitCode::kUsage;
  }
  Output output(output_ == "json" ? OutputFormat::kJson : OutputFormat::kTable, out);
  CommandContext context{*settings, output, error};
  const absl::StatusOr<ExitCode> code = body_(context);
  output.Flush();
  return code.ok() ? *code : Report(code.status(), error);
}

ExitCode RunProgram(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment,
                    std::FILE* out, std::FILE* error) {
  CLI::App app(
      "Turns smart-meter readings into energy tokens, and tells everybody the moment it "
      "happens.",
      "wattmint");
  app.require_subcommand(1);
  app.footer(std::string(kFooter));
  app.get_formatter()->column_width(36);
  CommandLine line;
  for (const CommandEntry& entry : CommandTable()) {
    entry.declare(*app.add_subcommand(std::string(entry.name), std::string(entry.summary)), line);
  }
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::Success& asked_for_help) {
    std::ostringstream text;
    app.exit(asked_for_help, text, text);
    fmt::print(out, "{}", text.str());
    return ExitCode::kOk;
  } catch (const CLI::ParseError& wrong) {
    fmt::print(error, "wattmint: {}; see --help\n", wrong.what());
    return ExitCode::kUsage;
  }
  return line.Run(environment, out, error);
}

}  // namespace wattmint::cli
