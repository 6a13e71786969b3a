// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/plausibility.h"

#include "core/domain/mint_task.h"

#include <fmt/format.h>

#include <algorithm>

namespace wattmint::ingest {
namespace {

using domain::Reading;
using domain::mint_reason::kQuarantineJump;
using domain::mint_reason::kQuarantineSentinel;

constexpr domain::Energy MilliKwh(std::int64_t count) {
  return domain::Energy::FromNanoKwh(count * 1'000'000);
}

// Registers of 16 bits that are not implemented, or not read, are all ones (SunSpec: 0xFFFF
// unsigned, 0x7FFF where the sign was lost); displays and BCD counters overflow to all nines. In
// steps of 1 Wh or 10 Wh these lie in the range of one reading; those in steps of 10 Wh only where
// its limit was raised. Values that plants of homes pass every day, such as 9.99, are not here.
constexpr Sentinel kSentinels[] = {
    {MilliKwh(32'767), "0x7FFF Wh"},           {MilliKwh(65'535), "0xFFFF Wh"},
    {MilliKwh(99'900), "all nines"},           {MilliKwh(99'990), "all nines"},
    {MilliKwh(99'999), "all nines"},           {MilliKwh(327'670), "0x7FFF times 10 Wh"},
    {MilliKwh(655'350), "0xFFFF times 10 Wh"},
};

std::string Kilowatts(std::int64_t milliwatts) {
  return fmt::format("{:.1f} kW", static_cast<double>(milliwatts) / 1e6);
}

bool IsJump(std::int64_t milliwatts, std::int64_t peak_milliwatts, int factor) {
  // milliwatts > peak * factor, without an overflow.
  return milliwatts > kJumpFloorMilliwatts && (milliwatts - 1) / factor >= peak_milliwatts;
}

}  // namespace

std::span<const Sentinel> Sentinels() { return kSentinels; }

std::string FindImplausible(const Reading& reading, const domain::ReadingLimits& limits,
                            const MeterPast& past) {
  if (!limits.quarantine) return "";
  const auto* const sentinel = std::ranges::find(kSentinels, reading.energy, &Sentinel::energy);
  if (sentinel != std::end(kSentinels)) {
    return fmt::format("{}: {} kWh is what meters send when they do not know ({})",
                       kQuarantineSentinel, reading.energy.ToString(), sentinel->what);
  }
  if (reading.IsPoint() || !past.peak || !past.last_end ||
      *past.last_end - past.peak->first_start < kJumpHistoryMin) {
    return "";
  }
  const std::int64_t milliwatts = domain::MeanMilliwatts(reading.energy, reading.length);
  if (!IsJump(milliwatts, past.peak->milliwatts, limits.jump_factor)) return "";
  return fmt::format("{}: a mean power of {} is more than {} times the greatest so far, {}",
                     kQuarantineJump, Kilowatts(milliwatts), limits.jump_factor,
                     Kilowatts(past.peak->milliwatts));
}

std::optional<domain::PowerPeak> RaisedPeak(const std::optional<domain::PowerPeak>& peak,
                                            const Reading& reading) {
  if (reading.IsPoint()) return std::nullopt;
  const std::int64_t milliwatts = domain::MeanMilliwatts(reading.energy, reading.length);
  if (!peak) return domain::PowerPeak{reading.start, milliwatts};
  if (milliwatts <= peak->milliwatts) return std::nullopt;
  return domain::PowerPeak{peak->first_start, milliwatts};
}

}  // namespace wattmint::ingest
