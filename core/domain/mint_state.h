// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wattmint::domain {

// State of a mint task. Numbers are stored and sent (wattmint.v1.MintState): never renumber.
enum class MintState : std::uint8_t {
  kPending = 1,
  kClaimed = 2,
  kSigned = 3,
  kSubmitted = 4,
  kConfirmed = 5,
  kParked = 6,
  kRejected = 7,
  kNotApplicable = 8,
};

// "PENDING", "CONFIRMED" ...; "UNKNOWN" for a number that is none.
std::string_view Name(MintState state);

}  // namespace wattmint::domain
