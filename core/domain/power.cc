// SPDX-License-Identifier: Apache-2.0
#include "core/domain/power.h"

#include "core/base/assert.h"

#include <algorithm>
#include <limits>

namespace wattmint::domain {
namespace {

__extension__ using Int128 = __int128;  // which is no standard C++

}  // namespace

std::int64_t MeanMilliwatts(Energy energy, Duration length) {
  WATTMINT_ASSERT(energy >= Energy(), "{} kWh have no mean power here", energy.ToString());
  WATTMINT_ASSERT(length > Duration::zero(), "no time has no mean power");
  // 1 nano-kWh in 1 us are 3.6 kW: 3.6 mJ / 1e-6 s.
  constexpr Int128 kMilliwattsOfNanoKwhInOneMicrosecond = 3'600'000;
  const Int128 scaled = kMilliwattsOfNanoKwhInOneMicrosecond * energy.nano_kwh();
  const Int128 rounded_up = (scaled + length.count() - 1) / length.count();
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(rounded_up, kMax));
}

}  // namespace wattmint::domain
