// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>
#include <spdlog/common.h>
#include <spdlog/formatter.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace wattmint::cli {

// Parts of a server whose lines may have a level of their own. Each logs by the logger that spdlog
// knows by this name.
inline constexpr std::array<std::string_view, 3> kLogComponents = {"bridge", "websocket", "grpc"};

// From which level up lines are logged.
struct LogLevels {
  spdlog::level::level_enum others = spdlog::level::info;
  std::array<spdlog::level::level_enum, kLogComponents.size()> components{};
};

// Reads what the setting log-level may be: LEVEL[,COMPONENT=LEVEL...], such as
// "info,websocket=debug"; the later of two counts. Errors: kInvalidArgument.
absl::StatusOr<LogLevels> ParseLogLevels(std::string_view text);
inline absl::Status CheckLogLevels(std::string_view text) { return ParseLogLevels(text).status(); }

// Sends the log of a server to standard error. `levels` and `format` are values of the settings
// log-level and log-format. To be called once, at the start.
void StartLog(const std::string& levels, const std::string& format);

// Makes lines such as {"time":"2026-06-01T12:00:00.000Z","level":"info","message":"..."}, with a
// "component" if they are of one.
std::unique_ptr<spdlog::formatter> JsonLogFormatter();

// Makes lines such as 2026-06-01T12:00:00.000Z info bridge: the core is connected
std::unique_ptr<spdlog::formatter> TextLogFormatter();

}  // namespace wattmint::cli
