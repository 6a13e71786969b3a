// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::domain {

// An exact amount of energy: whole nano-kWh, of either sign, zero unless told otherwise.
class Energy {
 public:
  constexpr Energy() = default;
  static constexpr Energy FromNanoKwh(int64_t nano_kwh) { return Energy(nano_kwh); }

  // Parses decimal kWh with at most 9 fraction digits, such as 12.5 or -0.000000001.
  // Errors: kInvalidArgument, and kOutOfRange beyond ±9223372036.854775807, each with a sentence.
  static absl::StatusOr<Energy> Parse(std::string_view text);

  constexpr int64_t nano_kwh() const { return nano_kwh_; }

  // Decimal kWh with as few digits as are exact.
  std::string ToString() const;

  // Nothing if the sum does not fit.
  std::optional<Energy> CheckedAdd(Energy other) const;

  friend constexpr auto operator<=>(Energy, Energy) = default;

 private:
  explicit constexpr Energy(int64_t nano_kwh) : nano_kwh_(nano_kwh) {}

  int64_t nano_kwh_ = 0;
};

}  // namespace wattmint::domain
