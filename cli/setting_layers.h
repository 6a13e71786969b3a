// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/settings.h"

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmint::cli {

// What the layers say, as text. A later layer wins: default, file, environment, flag.
struct SettingSources {
  std::string file;                                              // TOML; empty: none
  std::vector<std::pair<std::string, std::string>> environment;  // all variables of the process
  std::map<std::string, std::string> flags;                      // by Setting::name
};

struct ResolvedSettings {
  Settings values;
  // Where each value comes from, by Setting::name: "default", "file x.toml: data", "environment
  // WATTMINT_DATA" or "flag --data".
  std::map<std::string, std::string> origins;

  bool IsDefault(std::string_view name) const { return origins.at(std::string(name)) == "default"; }
};

// Puts the layers together. Each value of each layer is checked, also one that a later layer hides.
// A variable that a setting names as the place of a secret may have any name.
// Errors: kInvalidArgument with a sentence that names the layer and the setting: an unknown key of
// the file, an unknown variable that begins with WATTMINT_, TOKENIZATION_ or WEBSOCKET_, or a value
// that is none; kNotFound for a file that cannot be read.
absl::StatusOr<ResolvedSettings> ResolveSettings(const Settings& defaults,
                                                 const SettingSources& sources);

// The environment of this process, with the values of settings alone: what else is there, such as
// a key, is not copied.
std::vector<std::pair<std::string, std::string>> ProcessEnvironment();

}  // namespace wattmint::cli
