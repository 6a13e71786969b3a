// SPDX-License-Identifier: Apache-2.0
#include "cli/setting_layers.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace wattmint::cli {
namespace {

// The file itself is named by a flag or this variable, so it is no setting.
constexpr std::string_view kConfigVariable = "WATTMINT_CONFIG";

const Setting* FindByName(std::string_view name) {
  const auto& table = SettingTable();
  const auto at = std::find_if(table.begin(), table.end(),
                               [&](const Setting& setting) { return setting.name == name; });
  return at == table.end() ? nullptr : &*at;
}

const Setting* FindByVariable(std::string_view variable) {
  const auto& table = SettingTable();
  const auto at = std::find_if(table.begin(), table.end(), [&](const Setting& setting) {
    return setting.variable == variable;
  });
  return at == table.end() ? nullptr : &*at;
}

bool IsOurs(std::string_view variable) {
  return variable.starts_with("WATTMINT_") || variable.starts_with("TOKENIZATION_") ||
         variable.starts_with("WEBSOCKET_");
}

absl::Status Apply(const Setting& setting, std::string_view text, std::string origin,
                   ResolvedSettings& resolved) {
  if (const absl::Status status = setting.set(resolved.values, text); !status.ok()) {
    return base::InvalidArgument("{} is \"{}\": {}", origin,
                                 setting.is_secret || setting.is_reference ? "..." : text,
                                 base::Message(status));
  }
  resolved.origins[std::string(setting.name)] = std::move(origin);
  return absl::OkStatus();
}

// The text that the value would have as a flag; nothing for what no setting can be.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

absl::StatusOr<toml::table> ParseFile(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) {
    return base::NotFound("settings file {} cannot be read; check --config", path);
  }
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return base::InvalidArgument("settings file {}, line {}: {}", path, error.source().begin.line,
                                 error.description());
  }
}

absl::Status ApplyFile(const std::string& path, ResolvedSettings& resolved) {
  WATTMINT_ASSIGN_OR_RETURN(const toml::table table, ParseFile(path));
  for (const auto& [key, node] : table) {
    const Setting* setting = FindByName(key.str());
    if (setting == nullptr) {
      return base::InvalidArgument(
          "settings file {}: there is no setting {}; `wattmint config` lists them", path,
          key.str());
    }
    if (setting->is_secret) {
      return base::InvalidArgument("settings file {}: {} is a secret; use {}-file instead", path,
                                   key.str(), key.str());
    }
    const std::optional<std::string> text = TextOf(node);
    if (!text) {
      return base::InvalidArgument(
          "settings file {}: {} must be text, a whole number, true or false; write a decimal in "
          "quotes",
          path, key.str());
    }
    WATTMINT_RETURN_IF_ERROR(
        Apply(*setting, *text, fmt::format("file {}: {}", path, key.str()), resolved));
  }
  return absl::OkStatus();
}

absl::Status ApplyVariable(const std::string& variable, const std::string& value,
                           ResolvedSettings& resolved) {
  const Setting* setting = FindByVariable(variable);
  if (setting == nullptr) return absl::OkStatus();
  return Apply(*setting, value, fmt::format("environment {}", variable), resolved);
}

absl::Status CheckKnown(const std::string& variable, const Settings& values) {
  const bool is_known = FindByVariable(variable) != nullptr || variable == kConfigVariable ||
                        variable == values.ledger_key.variable;
  if (is_known) return absl::OkStatus();
  for (const WithheldVariable& withheld : WithheldVariables()) {
    if (withheld.variable == variable) {
      return base::InvalidArgument("environment {} has no effect in this version ({}); unset it",
                                   variable, withheld.reason);
    }
  }
  if (!IsOurs(variable)) return absl::OkStatus();
  return base::InvalidArgument(
      "environment {} is no setting; `wattmint config` lists them; correct or unset it", variable);
}

}  // namespace

absl::StatusOr<ResolvedSettings> ResolveSettings(const Settings& defaults,
                                                 const SettingSources& sources) {
  ResolvedSettings resolved{defaults, {}};
  for (const Setting& setting : SettingTable()) {
    resolved.origins[std::string(setting.name)] = "default";
  }
  std::string file = sources.file;
  for (const auto& [variable, value] : sources.environment) {
    if (variable == kConfigVariable && file.empty()) file = value;
  }
  if (!file.empty()) WATTMINT_RETURN_IF_ERROR(ApplyFile(file, resolved));
  for (const auto& [variable, value] : sources.environment) {
    WATTMINT_RETURN_IF_ERROR(ApplyVariable(variable, value, resolved));
  }
  for (const auto& [name, text] : sources.flags) {
    WATTMINT_RETURN_IF_ERROR(
        Apply(*FindByName(name), text, fmt::format("flag --{}", name), resolved));
  }
  for (const auto& [variable, value] : sources.environment) {
    WATTMINT_RETURN_IF_ERROR(CheckKnown(variable, resolved.values));
  }
  return resolved;
}

std::vector<std::pair<std::string, std::string>> ProcessEnvironment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    const bool is_setting = name == kConfigVariable || FindByVariable(name) != nullptr;
    all.emplace_back(name, is_setting ? text.substr(equals + 1) : "");
  }
  return all;
}

}  // namespace wattmint::cli
