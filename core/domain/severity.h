// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wattmint::domain {

// How much an alert or a notification matters. Numbers are stored and sent (wattmint.v1.Severity):
// never renumber.
enum class Severity : std::uint8_t { kInfo = 1, kWarning = 2, kCritical = 3 };

// "info", "warning", "critical".
std::string_view Name(Severity severity);

}  // namespace wattmint::domain
