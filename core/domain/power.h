// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/time.h"

#include <cstdint>

namespace wattmint::domain {

// Mean power in milliwatts, rounded up; at most the greatest number that there is.
// REQUIRES: energy >= 0, length > 0.
std::int64_t MeanMilliwatts(Energy energy, Duration length);

// The greatest mean power of what a meter brought, and since when.
struct PowerPeak {
  Time first_start{};  // of the first reading that counted
  std::int64_t milliwatts = 0;

  friend bool operator==(const PowerPeak&, const PowerPeak&) = default;
};

}  // namespace wattmint::domain
