// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"

namespace wattmint::base {

Time SystemClock::Now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

std::chrono::steady_clock::time_point SystemClock::Steady() {
  return std::chrono::steady_clock::now();
}

}  // namespace wattmint::base
