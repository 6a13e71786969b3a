// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/reading_text.h"

#include "core/base/assert.h"
#include "core/base/time_format.h"

#include <fmt/format.h>

namespace wattmint::ingest {
namespace {

constexpr std::int64_t kNanoPerMicroKwh = 1'000;
constexpr std::int64_t kMicroKwhPerKwh = 1'000'000;

}  // namespace

std::string ReadingText(const domain::Reading& reading) {
  return fmt::format(
      "wattmint reading 1\n"
      "meter {}\n"
      "start_us {}\n"
      "length_us {}\n"
      "energy_kwh {}\n"
      "quality {}\n"
      "channel {}\n"
      "counter {}\n",
      reading.meter_id, reading.start.time_since_epoch().count(), reading.length.count(),
      reading.energy.ToString(), domain::Name(reading.quality), domain::Name(reading.channel),
      reading.meter_counter);
}

std::string LegacyReadingText(const domain::Reading& reading, std::string_view wallet_address) {
  const std::int64_t nano_kwh = reading.energy.nano_kwh();
  WATTMINT_ASSERT(nano_kwh >= 0 && nano_kwh % kNanoPerMicroKwh == 0, "{} nano-kWh", nano_kwh);
  const std::int64_t micro_kwh = nano_kwh / kNanoPerMicroKwh;
  std::string time = base::FormatRfc3339(reading.start);
  time.pop_back();  // the Z
  return fmt::format(
      "GRIDTOKENX_METER_READING\n"
      "meter_serial: {}\n"
      "timestamp: {}+00:00\n"
      "kwh_amount: {}.{:06}\n"
      "wallet: {}",
      reading.meter_id, time, micro_kwh / kMicroKwhPerKwh, micro_kwh % kMicroKwhPerKwh,
      wallet_address);
}

std::string_view BeyondLegacyText(const domain::Reading& reading) {
  if (!reading.IsPoint()) return "an interval";
  if (reading.energy < domain::Energy()) return "an energy below zero";
  if (reading.energy.nano_kwh() % kNanoPerMicroKwh != 0) return "more than six digits of energy";
  if (reading.quality != domain::Quality::kActual) return "a quality other than actual";
  if (reading.channel != domain::Channel::kGeneration) return "a channel other than generation";
  return "";
}

}  // namespace wattmint::ingest
