// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wattmint::base {

// 16 bytes in network order, so that they compare as their text does (RFC 9562).
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  // Parses 8-4-4-4-12 hexadecimal digits of either case. Errors: kInvalidArgument.
  static absl::StatusOr<Uuid> Parse(std::string_view text);

  // Lower case.
  std::string ToString() const;

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const Uuid& uuid) {
    return H::combine(std::move(state), uuid.bytes);
  }
};

}  // namespace wattmint::base
