// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/limits.h"
#include "core/domain/power.h"
#include "core/domain/reading.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

// Whether a reading that would be minted looks like energy that was made. What does not is accepted
// and stored, and its mint task waits for a person (PARKED). The functions are pure.
namespace wattmint::ingest {

// Energy that meters and gateways send for "I do not know".
struct Sentinel {
  domain::Energy energy;
  std::string_view what;
};
std::span<const Sentinel> Sentinels();

// A mean power up to this is no jump, whatever came before. Chosen: a roof on a cloudy week may
// bring ten times as much in the next sunny hour, but then it hardly passes this.
inline constexpr std::int64_t kJumpFloorMilliwatts = 5'000'000;
// A meter whose readings span less has not shown yet what it can. Chosen: three nights and days.
inline constexpr domain::Duration kJumpHistoryMin = std::chrono::days(3);

// What is known of the meter before this reading.
struct MeterPast {
  std::optional<domain::PowerPeak> peak;   // nothing: no reading counted so far
  std::optional<domain::Time> last_end{};  // greatest end of the meter's readings
};

// The reason of quarantine: QUARANTINE_SENTINEL or QUARANTINE_JUMP and a sentence; empty if there
// is none. REQUIRES: the reading would be minted: generation above zero.
std::string FindImplausible(const domain::Reading& reading, const domain::ReadingLimits& limits,
                            const MeterPast& past);

// The peak with this reading; nothing if it stays as it is. Point readings have no power.
std::optional<domain::PowerPeak> RaisedPeak(const std::optional<domain::PowerPeak>& peak,
                                            const domain::Reading& reading);

}  // namespace wattmint::ingest
