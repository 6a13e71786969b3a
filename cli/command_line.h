// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/output.h"
#include "cli/setting_layers.h"

#include <absl/status/statusor.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace wattmint::cli {

// What a command ends with.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,       // the reason is on standard error
  kUsage = 2,        // flags, settings or arguments are wrong
  kRowsRefused = 3,  // it did its work, but some rows were refused or broken
};

// What a command is run with.
struct CommandContext {
  const ResolvedSettings& settings;
  Output& output;
  std::FILE* error;  // progress and warnings
};

// An error ends the program with one sentence: kUsage for kInvalidArgument, else kFailed.
using CommandBody = std::function<absl::StatusOr<ExitCode>(CommandContext&)>;

// Collects what the command line says: the settings' flags, and which command is to be run.
// Commands declare themselves with it, then it runs the one that was named.
class CommandLine {
 public:
  // Makes `app` a command: gives it --output, --config, the flags of the settings with these
  // scopes, and `body` to run. Call after its own options were declared.
  void Command(CLI::App& app, int scopes, CommandBody body);
  // What the command's defaults differ in.
  void Defaults(CLI::App& app, std::function<void(Settings&)> change);

  // Runs the command that was parsed.
  ExitCode Run(const std::vector<std::pair<std::string, std::string>>& environment, std::FILE* out,
               std::FILE* error);

 private:
  CommandBody body_;
  std::map<std::string, std::string> flags_;
  std::map<const CLI::App*, std::function<void(Settings&)>> changes_;
  const CLI::App* chosen_ = nullptr;
  std::string config_file_;
  std::string output_ = "table";
};

// Parses the arguments and runs the command that they name.
ExitCode RunProgram(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment,
                    std::FILE* out, std::FILE* error);

}  // namespace wattmint::cli
