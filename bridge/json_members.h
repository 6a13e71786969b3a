// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/json_value.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// The member, nullptr also where it is null.
const JsonValue* Given(const JsonValue& object, std::string_view name);

// A whole number of 0 to 2^53 - 1, which a browser's numbers keep exactly.
std::optional<std::int64_t> WholeNumber(const JsonValue& value);

// The member's text; "" if it is not given. Errors: it is no text, or too long.
absl::StatusOr<std::string> Text(const JsonValue& object, std::string_view name,
                                 std::size_t bytes_max);

// The member's number, as it was written, or written as text; "" if it is not given. Errors: it is
// neither.
absl::StatusOr<std::string> NumberText(const JsonValue& object, std::string_view name);

}  // namespace wattmint::bridge
