// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wattmint::cli {

// Sends the log of a server to standard error, from `level` (a value of the setting log-level) up.
void StartLog(const std::string& level);

}  // namespace wattmint::cli
