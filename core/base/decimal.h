// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::base {

// Exact decimals: the text of value / 10^scale and the int64 `value`, without a double between.
// Scales are 0 to 18, both included.

enum class DecimalSign { kNonNegative, kAny };

// Parses [-]digits[.digits] with at most `scale` digits after the point. Errors: kInvalidArgument
// with a sentence for anything else (empty, plus sign, exponent, NaN, space, no digit beside the
// point, more than 40 characters), kOutOfRange if the value does not fit.
absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int scale,
                                     DecimalSign sign = DecimalSign::kNonNegative);

// Formats with as few digits after the point as are exact: FormatDecimal(12'500, 3) is "12.5".
std::string FormatDecimal(int64_t value, int scale);

}  // namespace wattmint::base
