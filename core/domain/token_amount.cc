// SPDX-License-Identifier: Apache-2.0
#include "core/domain/token_amount.h"

#include "core/base/assert.h"
#include "core/base/decimal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>

namespace wattmint::domain {
namespace {

__extension__ using Int128 = __int128;

constexpr int kTokenScale = 9;
constexpr int64_t kUnit = 1'000'000'000;  // 10^kTokenScale
constexpr Int128 kBaseUnitsMax = std::numeric_limits<int64_t>::max();

}  // namespace

std::string TokenAmount::ToString() const { return base::FormatDecimal(base_units_, kTokenScale); }

std::optional<TokenAmount> TokenAmount::CheckedAdd(TokenAmount other) const {
  int64_t sum = 0;
  if (__builtin_add_overflow(base_units_, other.base_units_, &sum)) return std::nullopt;
  return FromBaseUnits(sum);
}

absl::StatusOr<Ratio> Ratio::Parse(std::string_view text) {
  Ratio ratio{.numerator = 0, .denominator = kUnit};
  if (const size_t slash = text.find('/'); slash == std::string_view::npos) {
    WATTMINT_ASSIGN_OR_RETURN(ratio.numerator, base::ParseDecimal(text, kTokenScale));
  } else {
    WATTMINT_ASSIGN_OR_RETURN(ratio.numerator, base::ParseDecimal(text.substr(0, slash), 0));
    WATTMINT_ASSIGN_OR_RETURN(ratio.denominator, base::ParseDecimal(text.substr(slash + 1), 0));
  }
  if (ratio.numerator == 0 || ratio.denominator == 0) {
    return base::InvalidArgument("a ratio such as 1, 1.5 or 3/2 is above zero, unlike \"{}\"",
                                 text);
  }
  const int64_t divisor = std::gcd(ratio.numerator, ratio.denominator);
  return Ratio{ratio.numerator / divisor, ratio.denominator / divisor};
}

std::string Ratio::ToString() const {
  return denominator == 1 ? fmt::format("{}", numerator)
                          : fmt::format("{}/{}", numerator, denominator);
}

int64_t CarryTo(Ratio ratio, Remainder remainder) {
  WATTMINT_ASSERT(remainder.numerator >= 0 && remainder.numerator < remainder.denominator,
                  "a remainder of {}/{}", remainder.numerator, remainder.denominator);
  return static_cast<int64_t>(Int128{remainder.numerator} * ratio.denominator /
                              remainder.denominator);
}

absl::StatusOr<Conversion> ConvertEnergy(Energy energy, Ratio ratio, int64_t carried_remainder) {
  WATTMINT_ASSERT(energy >= Energy(), "{} kWh converted to tokens", energy.ToString());
  WATTMINT_ASSERT(ratio.numerator >= 1 && ratio.denominator >= 1, "a ratio of {}",
                  ratio.ToString());
  WATTMINT_ASSERT(carried_remainder >= 0 && carried_remainder < ratio.denominator,
                  "a remainder of {} at a ratio of {}", carried_remainder, ratio.ToString());
  // At most (2^63 - 1)^2 + 2^63 - 1, which is below 2^126.
  const Int128 dividend = Int128{energy.nano_kwh()} * ratio.numerator + carried_remainder;
  const Int128 base_units = dividend / ratio.denominator;
  if (base_units > kBaseUnitsMax) {
    return base::OutOfRange("{} kWh at a ratio of {} are more tokens than can be counted",
                            energy.ToString(), ratio.ToString());
  }
  return Conversion{.tokens = TokenAmount::FromBaseUnits(static_cast<int64_t>(base_units)),
                    .remainder = static_cast<int64_t>(dividend % ratio.denominator)};
}

bool FollowsFrom(TokenAmount tokens, Energy energy, Ratio ratio) {
  const Int128 earned = Int128{energy.nano_kwh()} * ratio.numerator;
  const Int128 given = Int128{tokens.base_units()} * ratio.denominator;
  // A remainder of 0 (included) to denominator (excluded) comes with the energy, another stays.
  return given > earned - ratio.denominator && given < earned + ratio.denominator;
}

}  // namespace wattmint::domain
