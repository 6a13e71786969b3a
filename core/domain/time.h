// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <chrono>
#include <cstdint>

namespace wattmint::domain {

// A point in time, UTC, in microseconds since 1970.
using Time = base::Time;
// A length of time in microseconds.
using Duration = base::Duration;

// The day (UTC), counted from 1970-01-01.
inline std::int64_t DayOf(Time time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

}  // namespace wattmint::domain
