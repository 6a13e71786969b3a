// SPDX-License-Identifier: Apache-2.0
#include "core/base/decimal.h"

#include "core/base/assert.h"
#include "core/base/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wattmint::base {
namespace {

constexpr int kScaleMax = 18;
constexpr size_t kDecimalLengthMax = 40;

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Appends decimal digits to a number that is zero or negative: that side of int64 reaches further.
bool AppendDigits(std::string_view digits, int64_t& negative) {
  return std::all_of(digits.begin(), digits.end(), [&negative](char c) {
    return !__builtin_mul_overflow(negative, 10, &negative) &&
           !__builtin_sub_overflow(negative, c - '0', &negative);
  });
}

bool AppendZeros(size_t count, int64_t& negative) {
  return AppendDigits(std::string_view("000000000000000000", count), negative);
}

uint64_t PowerOfTen(int exponent) {
  uint64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int scale, DecimalSign sign) {
  WATTMINT_ASSERT(scale >= 0 && scale <= kScaleMax, "scale {}", scale);
  if (text.size() > kDecimalLengthMax) {
    return InvalidArgument("a decimal has at most {} characters, not {}", kDecimalLengthMax,
                           text.size());
  }
  const bool is_negative = text.starts_with('-');
  const std::string_view number = text.substr(is_negative ? 1 : 0);
  const size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
  if (!IsDigits(whole) || (point != std::string_view::npos && !IsDigits(fraction))) {
    return InvalidArgument("\"{}\" is not a decimal such as 12.5", text);
  }
  if (is_negative && sign == DecimalSign::kNonNegative) {
    return InvalidArgument("\"{}\" is negative", text);
  }
  if (fraction.size() > static_cast<size_t>(scale)) {
    return InvalidArgument("\"{}\" has more than {} digits after the point", text, scale);
  }
  int64_t negative = 0;
  if (!AppendDigits(whole, negative) || !AppendDigits(fraction, negative) ||
      !AppendZeros(static_cast<size_t>(scale) - fraction.size(), negative)) {
    return OutOfRange("\"{}\" is too large", text);
  }
  if (is_negative) return negative;
  int64_t value = 0;
  if (__builtin_sub_overflow(int64_t{0}, negative, &value)) {
    return OutOfRange("\"{}\" is too large", text);
  }
  return value;
}

std::string FormatDecimal(int64_t value, int scale) {
  WATTMINT_ASSERT(scale >= 0 && scale <= kScaleMax, "scale {}", scale);
  // Unsigned, so that the magnitude of the smallest int64 fits.
  const uint64_t magnitude =
      value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const uint64_t unit = PowerOfTen(scale);
  std::string text = fmt::format("{}{}", value < 0 ? "-" : "", magnitude / unit);
  const uint64_t fraction = magnitude % unit;
  if (fraction == 0) return text;
  fmt::format_to(std::back_inserter(text), ".{:0{}}", fraction, scale);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace wattmint::base
