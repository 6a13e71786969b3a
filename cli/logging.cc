// SPDX-License-Identifier: Apache-2.0
#include "cli/logging.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace wattmint::cli {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};

// A flag of a pattern: the message as a string of JSON, whatever bytes it holds.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    using nlohmann::json;
    const json text(std::string_view(message.payload.data(), message.payload.size()));
    const std::string quoted = text.dump(-1, ' ', false, json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

// A flag of a pattern: the component between two texts; nothing if the line is of none.
class ComponentName final : public spdlog::custom_flag_formatter {
 public:
  ComponentName(std::string_view before, std::string_view after) : before_(before), after_(after) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view name(message.logger_name.data(), message.logger_name.size());
    if (std::ranges::find(kLogComponents, name) == kLogComponents.end()) return;
    for (const std::string_view part : {before_, name, after_}) {
      out.append(part.data(), part.data() + part.size());
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<ComponentName>(before_, after_);
  }

 private:
  const std::string_view before_;
  const std::string_view after_;
};

std::unique_ptr<spdlog::pattern_formatter> UtcFormatter() {
  return std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
}

absl::StatusOr<spdlog::level::level_enum> ParseLevel(std::string_view text) {
  if (std::ranges::find(kLevels, text) != kLevels.end()) {
    return spdlog::level::from_str(std::string(text));
  }
  return base::InvalidArgument("\"{}\" is none of the levels {}", text, fmt::join(kLevels, ", "));
}

}  // namespace

absl::StatusOr<LogLevels> ParseLogLevels(std::string_view text) {
  LogLevels levels;
  WATTMINT_ASSIGN_OR_RETURN(levels.others, ParseLevel(text.substr(0, text.find(','))));
  levels.components.fill(levels.others);
  for (std::size_t comma = text.find(','); comma != text.npos; comma = text.find(',', comma + 1)) {
    std::string_view level = text.substr(comma + 1, text.find(',', comma + 1) - comma - 1);
    const std::string_view name = level.substr(0, level.find('='));
    const auto found = std::ranges::find(kLogComponents, name);
    if (found == kLogComponents.end()) {
      return base::InvalidArgument("\"{}\" is none of the components {}", name,
                                   fmt::join(kLogComponents, ", "));
    }
    level.remove_prefix(std::min(level.size(), name.size() + 1));
    WATTMINT_ASSIGN_OR_RETURN(
        levels.components[static_cast<std::size_t>(found - kLogComponents.begin())],
        ParseLevel(level));
  }
  return levels;
}

std::unique_ptr<spdlog::formatter> JsonLogFormatter() {
  auto formatter = UtcFormatter();
  formatter->add_flag<JsonMessage>('*')
      .add_flag<ComponentName>('&', R"("component":")", R"(",)")
      .set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%&"message":%*})");
  return formatter;
}

std::unique_ptr<spdlog::formatter> TextLogFormatter() {
  auto formatter = UtcFormatter();
  formatter->add_flag<ComponentName>('&', "", ": ").set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %&%v");
  return formatter;
}

void StartLog(const std::string& levels, const std::string& format) {
  const absl::StatusOr<LogLevels> parsed = ParseLogLevels(levels);
  WATTMINT_ASSERT(parsed.ok(), "{} were not checked", levels);
  const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(format == "json" ? JsonLogFormatter() : TextLogFormatter());
  const auto make_logger = [&sink](std::string_view name, spdlog::level::level_enum level) {
    auto logger = std::make_shared<spdlog::logger>(std::string(name), sink);
    logger->set_level(level);
    logger->flush_on(spdlog::level::info);
    return logger;
  };
  for (std::size_t i = 0; i < kLogComponents.size(); ++i) {
    spdlog::register_logger(make_logger(kLogComponents[i], parsed->components[i]));
  }
  spdlog::set_default_logger(make_logger("wattmint", parsed->others));
}

}  // namespace wattmint::cli
