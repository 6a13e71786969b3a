// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

namespace wattmint::domain {

// A point in time, UTC, in microseconds since 1970.
using Time = base::Time;
// A length of time in microseconds.
using Duration = base::Duration;

}  // namespace wattmint::domain
