// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"

#include <span>
#include <string_view>

namespace wattmint::cli {

// Each declares one command: its options and what it does. One file for each.
void DeclareUp(CLI::App& app, CommandLine& line);
void DeclareCore(CLI::App& app, CommandLine& line);
void DeclareBridge(CLI::App& app, CommandLine& line);
void DeclareSigner(CLI::App& app, CommandLine& line);
void DeclareImport(CLI::App& app, CommandLine& line);
void DeclareSubmit(CLI::App& app, CommandLine& line);
void DeclareReading(CLI::App& app, CommandLine& line);
void DeclareWatch(CLI::App& app, CommandLine& line);
void DeclareMeter(CLI::App& app, CommandLine& line);
void DeclareMint(CLI::App& app, CommandLine& line);
void DeclareAlert(CLI::App& app, CommandLine& line);
void DeclareKey(CLI::App& app, CommandLine& line);
void DeclareLedger(CLI::App& app, CommandLine& line);
void DeclareBench(CLI::App& app, CommandLine& line);
void DeclareBackup(CLI::App& app, CommandLine& line);
void DeclareRestore(CLI::App& app, CommandLine& line);
void DeclareCheck(CLI::App& app, CommandLine& line);
void DeclareStatus(CLI::App& app, CommandLine& line);
void DeclareConfig(CLI::App& app, CommandLine& line);
void DeclareVersion(CLI::App& app, CommandLine& line);

struct CommandEntry {
  std::string_view name;
  std::string_view summary;
  void (*declare)(CLI::App& app, CommandLine& line);
};

// All commands, in the order of the help.
std::span<const CommandEntry> CommandTable();

}  // namespace wattmint::cli
