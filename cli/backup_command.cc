// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/ledger_verification.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/backup.h"

#include <CLI/App.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

namespace wattmint::cli {
namespace {

namespace fs = std::filesystem;

// The databases of one installation and its keys, as another installation with a log of its own.
absl::Status CopyInstallation(const DataDirectory& from, const DataDirectory& to) {
  if (!fs::exists(from.database()) || !fs::exists(from.ledger())) {
    return base::NotFound("{} holds no wattmint.db and ledger.db", from.path().string());
  }
  WATTMINT_RETURN_IF_ERROR(to.Create());
  // No core may start on what is half there.
  WATTMINT_ASSIGN_OR_RETURN(const base::FileLock lock, to.Lock());
  WATTMINT_RETURN_IF_ERROR(to.CheckNew());
  WATTMINT_RETURN_IF_ERROR(
      storage::BackUp({from.database(), from.ledger()}, {to.database(), to.ledger()}));
  return to.CopyKeys(from);
}

absl::Status Verify(const fs::path& folder, CommandContext& context) {
  ResolvedSettings settings = context.settings;
  settings.values.data_directory = folder.string();
  CommandContext other{settings, context.output, context.error};
  return VerifyLedger({}, other).status();
}

absl::StatusOr<ExitCode> Backup(const std::string& folder, CommandContext& context) {
  const DataDirectory data(context.settings.values.data_directory);
  WATTMINT_RETURN_IF_ERROR(CopyInstallation(data, DataDirectory(folder)));
  WATTMINT_RETURN_IF_ERROR(Verify(folder, context));
  context.output.Line(fmt::format(
      "{} holds a copy of {} with its keys: keep it secret. `wattmint restore {}` makes a new "
      "installation of it",
      folder, data.path().string(), folder));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Restore(const std::string& folder, CommandContext& context) {
  const DataDirectory data(context.settings.values.data_directory);
  WATTMINT_RETURN_IF_ERROR(CopyInstallation(DataDirectory(folder), data));
  WATTMINT_RETURN_IF_ERROR(Verify(data.path(), context));
  context.output.Line(
      fmt::format("{} holds what was in {}. Its log has a new epoch: cursors of the old one answer "
                  "EPOCH_CHANGED. Submit again what was accepted after the backup",
                  data.path().string(), folder));
  return ExitCode::kOk;
}

void Declare(CLI::App& app, CommandLine& line, const std::string& help,
             absl::StatusOr<ExitCode> (*body)(const std::string&, CommandContext&)) {
  // shared: by the parser and the body, which is kept for later.
  const auto folder = std::make_shared<std::string>();
  app.add_option("folder", *folder, help)->required()->type_name("FOLDER");
  line.Command(app, kClientScope,
               [folder, body](CommandContext& context) { return body(*folder, context); });
}

}  // namespace

void DeclareBackup(CLI::App& app, CommandLine& line) {
  Declare(app, line, "where the copy goes; made if it is not there, must be empty", Backup);
}

void DeclareRestore(CLI::App& app, CommandLine& line) {
  Declare(app, line, "what `wattmint backup` made; it is not changed", Restore);
}

}  // namespace wattmint::cli
