// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/reading.h"
#include "core/domain/time.h"

#include <cstdint>
#include <string>

namespace wattmint::domain {

// Numbers are stored and sent (wattmint.v1.CorrectionKind): never renumber.
enum class CorrectionKind : std::uint8_t { kCorrected = 1, kWithdrawn = 2 };

// One change of an accepted reading: what it said before, and what it says since. A withdrawal
// changes neither energy nor quality.
struct Correction {
  std::int64_t correction_id = 0;  // from 1, in the order of the changes
  CorrectionKind kind = CorrectionKind::kCorrected;
  Time time{};
  std::string user_id;  // who did it
  std::string reason;
  Energy old_energy;
  Quality old_quality = Quality::kActual;
  Energy energy;
  Quality quality = Quality::kActual;

  friend bool operator==(const Correction&, const Correction&) = default;
};

}  // namespace wattmint::domain
