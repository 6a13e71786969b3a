// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/reading.h"

#include <string>
#include <string_view>

namespace wattmint::ingest {

// The bytes that a meter signs for one reading. ASCII, eight lines, each ended by a newline:
//   wattmint reading 1
//   meter <meter id>
//   start_us <start of the interval, or time of a point reading: microseconds since 1970 UTC>
//   length_us <length of the interval in microseconds; 0: a point reading>
//   energy_kwh <decimal with as few digits as are exact: 1.25, 100, 0>
//   quality <actual, estimated, substituted or final>
//   channel <generation or consumption>
//   counter <above zero>
std::string ReadingText(const domain::Reading& reading);

// The bytes of an older scheme, which is accepted only where that is asked for: five lines, the
// last one without a newline. It says less: six digits, one time, no quality, channel or counter.
//   GRIDTOKENX_METER_READING
//   meter_serial: <meter id>
//   timestamp: <RFC 3339 with +00:00>
//   kwh_amount: <decimal with exactly six digits after the point>
//   wallet: <wallet address>
// REQUIRES: the energy is whole micro-kWh, and not below zero.
std::string LegacyReadingText(const domain::Reading& reading, std::string_view wallet_address);

// Whether the older text says all that there is to know of `reading`: empty, or what it leaves out.
std::string_view BeyondLegacyText(const domain::Reading& reading);

}  // namespace wattmint::ingest
