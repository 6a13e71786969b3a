// SPDX-License-Identifier: Apache-2.0
#include "bridge/reading_message.h"

#include "bridge/json_members.h"
#include "core/base/decimal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace wattmint::bridge {
namespace {

// The core says what may be in them; these only bound what is carried there.
constexpr std::size_t kTextIdBytesMax = 64;
constexpr std::size_t kTimeBytesMax = 64;
constexpr std::size_t kSignatureBytesMax = 256;
constexpr std::size_t kWordBytesMax = 16;
constexpr std::int64_t kSecondsMax = 366LL * 24 * 60 * 60;

absl::Status Needed(std::string_view name) {
  return base::InvalidArgument("\"{}\" is needed", name);
}

// One of `all` by its name; the first if none is given.
template <typename Enum, std::size_t Size>
absl::StatusOr<Enum> OneOf(const JsonValue& data, std::string_view member,
                           const std::array<Enum, Size>& all) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string name, Text(data, member, kWordBytesMax));
  if (name.empty()) return all.front();
  const auto found =
      std::ranges::find_if(all, [&name](Enum value) { return domain::Name(value) == name; });
  if (found == all.end()) return base::InvalidArgument("\"{}\" has an unknown name", member);
  return *found;
}

absl::StatusOr<std::int64_t> Whole(const JsonValue& data, std::string_view name) {
  const JsonValue* member = Given(data, name);
  if (member == nullptr) return 0;
  const std::optional<std::int64_t> number = WholeNumber(*member);
  if (!number) return base::InvalidArgument("\"{}\" must be a whole number", name);
  return *number;
}

absl::StatusOr<std::optional<double>> Measured(const JsonValue& data, std::string_view name) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, NumberText(data, name));
  if (text.empty()) return std::optional<double>();
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
    return base::InvalidArgument("\"{}\" must be a number", name);
  }
  return std::optional(value);
}

absl::StatusOr<domain::Telemetry> ReadTelemetry(const JsonValue& data) {
  domain::Telemetry telemetry;
  const JsonValue* given = Given(data, "telemetry");
  if (given == nullptr) return telemetry;
  if (given->AsObject() == nullptr) {
    return base::InvalidArgument("\"telemetry\" must be an object");
  }
  WATTMINT_ASSIGN_OR_RETURN(telemetry.voltage_volts, Measured(*given, "voltage_volts"));
  WATTMINT_ASSIGN_OR_RETURN(telemetry.current_amperes, Measured(*given, "current_amperes"));
  WATTMINT_ASSIGN_OR_RETURN(telemetry.power_watts, Measured(*given, "power_watts"));
  WATTMINT_ASSIGN_OR_RETURN(telemetry.frequency_hertz, Measured(*given, "frequency_hertz"));
  return telemetry;
}

absl::Status ReadSpan(const JsonValue& data, domain::Reading& reading) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string start, Text(data, "timestamp", kTimeBytesMax));
  if (start.empty()) return Needed("timestamp");
  const absl::StatusOr<base::Time> time = base::ParseRfc3339(start);
  if (!time.ok()) {
    return base::InvalidArgument("\"timestamp\": {}", base::Message(time.status()));
  }
  reading.start = *time;
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t seconds, Whole(data, "interval_seconds"));
  if (seconds > kSecondsMax) {
    return base::InvalidArgument("\"interval_seconds\" is above {}", kSecondsMax);
  }
  reading.length = std::chrono::seconds(seconds);
  return absl::OkStatus();
}

absl::Status ReadEnergy(const JsonValue& data, domain::Reading& reading) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, NumberText(data, "kwh_amount"));
  if (text.empty()) return Needed("kwh_amount");
  const absl::StatusOr<std::int64_t> nano_kwh =
      base::ParseDecimal(text, 9, base::DecimalSign::kAny);
  if (!nano_kwh.ok()) {
    return base::InvalidArgument("\"kwh_amount\": {}", base::Message(nano_kwh.status()));
  }
  reading.energy = domain::Energy::FromNanoKwh(*nano_kwh);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<domain::Reading> ReadReading(const JsonValue& data) {
  using domain::Channel;
  using domain::Quality;
  constexpr std::array kQualities = {Quality::kActual, Quality::kEstimated, Quality::kSubstituted,
                                     Quality::kFinal};
  constexpr std::array kChannels = {Channel::kGeneration, Channel::kConsumption};
  domain::Reading reading;
  WATTMINT_ASSIGN_OR_RETURN(reading.meter_id, Text(data, "meter_id", kTextIdBytesMax));
  if (reading.meter_id.empty()) return Needed("meter_id");
  WATTMINT_RETURN_IF_ERROR(ReadEnergy(data, reading));
  WATTMINT_RETURN_IF_ERROR(ReadSpan(data, reading));
  WATTMINT_ASSIGN_OR_RETURN(reading.quality, OneOf(data, "quality", kQualities));
  WATTMINT_ASSIGN_OR_RETURN(reading.channel, OneOf(data, "channel", kChannels));
  WATTMINT_ASSIGN_OR_RETURN(reading.telemetry, ReadTelemetry(data));
  WATTMINT_ASSIGN_OR_RETURN(reading.request_id, Text(data, "request_id", kTextIdBytesMax));
  WATTMINT_ASSIGN_OR_RETURN(reading.meter_signature,
                            Text(data, "meter_signature", kSignatureBytesMax));
  WATTMINT_ASSIGN_OR_RETURN(reading.meter_counter, Whole(data, "meter_counter"));
  return reading;
}

}  // namespace wattmint::bridge
