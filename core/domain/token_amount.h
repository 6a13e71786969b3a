// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"

#include <absl/status/statusor.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::domain {

// An exact amount of tokens: whole base units, 10^9 of which make one GRX. Zero unless told
// otherwise.
class TokenAmount {
 public:
  constexpr TokenAmount() = default;
  static constexpr TokenAmount FromBaseUnits(int64_t base_units) { return TokenAmount(base_units); }

  constexpr int64_t base_units() const { return base_units_; }

  // Decimal GRX with as few digits as are exact.
  std::string ToString() const;

  // Nothing if the sum does not fit.
  std::optional<TokenAmount> CheckedAdd(TokenAmount other) const;

  friend constexpr auto operator<=>(TokenAmount, TokenAmount) = default;

 private:
  explicit constexpr TokenAmount(int64_t base_units) : base_units_(base_units) {}

  int64_t base_units_ = 0;
};

// GRX per kWh, exactly, in lowest terms: numerator >= 1, denominator >= 1.
struct Ratio {
  int64_t numerator = 1;
  int64_t denominator = 1;

  // Parses a positive decimal with at most 9 fraction digits (1.5) or a fraction of whole numbers
  // (3/2). Errors: kInvalidArgument and kOutOfRange, each with a sentence.
  static absl::StatusOr<Ratio> Parse(std::string_view text);

  // As a fraction, or as a whole number.
  std::string ToString() const;

  friend bool operator==(const Ratio&, const Ratio&) = default;
};

// What rounding left over: numerator/denominator base units, 0 (included) to 1 (excluded).
struct Remainder {
  int64_t numerator = 0;
  int64_t denominator = 1;

  friend bool operator==(const Remainder&, const Remainder&) = default;
};

// The remainder in 1/ratio.denominator base units, as ConvertEnergy() carries it. One that another
// ratio left over is rounded down, so that nothing is minted that was not earned.
// REQUIRES: as Remainder says.
int64_t CarryTo(Ratio ratio, Remainder remainder);

struct Conversion {
  TokenAmount tokens;
  int64_t remainder = 0;  // in 1/denominator base units: 0 (included) to denominator (excluded)
};

// Converts energy to tokens: (energy × numerator + carried remainder) / denominator, rounded down.
// The remainder is what the next conversion of the same meter at the same ratio carries, so that
// the tokens of many readings equal the tokens of their sum.
// REQUIRES: energy >= 0; 0 <= carried_remainder < ratio.denominator.
// Errors: kOutOfRange if the tokens do not fit.
absl::StatusOr<Conversion> ConvertEnergy(Energy energy, Ratio ratio, int64_t carried_remainder);

// Whether ConvertEnergy() makes these tokens of that energy, with some remainder carried.
bool FollowsFrom(TokenAmount tokens, Energy energy, Ratio ratio);

}  // namespace wattmint::domain
