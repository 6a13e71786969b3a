// SPDX-License-Identifier: Apache-2.0
// What comes from clients: nothing of it is trusted.
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/rpc/converters.h"
#include "core/rpc/status_convert.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace wattmint::rpc {
namespace {

constexpr std::int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z, included
constexpr std::int32_t kNanosMax = 999'999'999;
constexpr std::size_t kSignatureBytesMax = 256;  // chosen: base58 of 64 bytes has 88
constexpr std::size_t kQuotedBytesMax = 80;

using domain::Rejection;

// A value as a message may repeat it: not too long, and nothing that could garble a terminal.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kQuotedBytesMax)) {
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + (text.size() > kQuotedBytesMax ? "...\"" : "\"");
}

// Microseconds; nothing if it is finer, or seconds and nanos are no valid pair.
std::optional<std::int64_t> MicrosOf(std::int64_t seconds, std::int32_t nanos) {
  if (seconds < 0 || seconds > kSecondsMax || nanos < 0 || nanos > kNanosMax) return std::nullopt;
  if (nanos % 1'000 != 0) return std::nullopt;
  return seconds * 1'000'000 + nanos / 1'000;
}

struct Span {
  domain::Time start{};
  domain::Duration length{};
};

// Exactly one of an interval and an instant. Empty text: fine.
std::string ReadSpan(const v1::ReadingInput& input, Span& span,
                     std::optional<domain::Time>& known_start) {
  const auto& stamp = input.has_read_time() ? input.read_time() : input.interval_start();
  const bool is_point = input.has_read_time();
  if (is_point || input.has_interval_start()) known_start = TimeFromProto(stamp);
  if (is_point == input.has_interval_start()) {
    return "exactly one of interval_start and read_time must be set";
  }
  if (is_point == input.has_interval()) {
    return is_point ? "interval must not be set beside read_time"
                    : "interval must be set beside interval_start";
  }
  if (!known_start.has_value()) {
    return fmt::format("{} must lie in the years 1970 to 9999 and be no finer than a microsecond",
                       is_point ? "read_time" : "interval_start");
  }
  span.start = *known_start;
  if (is_point) return "";
  const auto length = MicrosOf(input.interval().seconds(), input.interval().nanos());
  if (!length.has_value() || *length == 0) {
    return "interval must be above zero and no finer than a microsecond";
  }
  const auto end = span.start + domain::Duration(*length);
  if (end.time_since_epoch() > std::chrono::seconds(kSecondsMax)) {
    return "the interval must end before the year 10000";
  }
  span.length = domain::Duration(*length);
  return "";
}

// What a later version may say and this one does not know must not be minted by mistake.
domain::Quality QualityOf(v1::ReadingQuality quality) {
  if (quality == v1::READING_QUALITY_UNSPECIFIED) return domain::Quality::kActual;
  if (!v1::ReadingQuality_IsValid(quality)) return domain::Quality::kEstimated;
  return static_cast<domain::Quality>(quality);
}

domain::Channel ChannelOf(v1::EnergyChannel channel) {
  if (channel == v1::ENERGY_CHANNEL_UNSPECIFIED) return domain::Channel::kGeneration;
  if (!v1::EnergyChannel_IsValid(channel)) return domain::Channel::kConsumption;
  return static_cast<domain::Channel>(channel);
}

domain::Telemetry TelemetryOf(const v1::Telemetry& telemetry) {
  const auto finite = [](bool has, double value) {
    return has && std::isfinite(value) ? std::optional(value) : std::nullopt;
  };
  return {finite(telemetry.has_voltage_volts(), telemetry.voltage_volts()),
          finite(telemetry.has_current_amperes(), telemetry.current_amperes()),
          finite(telemetry.has_power_watts(), telemetry.power_watts()),
          finite(telemetry.has_frequency_hertz(), telemetry.frequency_hertz())};
}

// Fills the reading as far as it can be read, and answers the first thing that is wrong.
domain::Refusal Read(const v1::ReadingInput& input, ingest::Candidate& candidate) {
  domain::Reading& reading = candidate.reading;
  const absl::StatusOr<domain::Energy> energy = domain::Energy::Parse(input.energy_kwh());
  if (energy.ok()) reading.energy = *energy;
  Span span;
  const std::string bad_time = ReadSpan(input, span, candidate.start);
  reading.start = span.start;
  reading.length = span.length;

  if (!domain::IsMeterId(input.meter_id())) {
    return {Rejection::kMeterIdInvalid,
            fmt::format("meter_id {} must be 1 to {} bytes of [A-Za-z0-9._:-]",
                        Quoted(input.meter_id()), domain::kIdBytesMax)};
  }
  if (!energy.ok()) {
    return {Rejection::kEnergyInvalid, fmt::format("energy_kwh {}: {}", Quoted(input.energy_kwh()),
                                                   base::Message(energy.status()))};
  }
  if (!bad_time.empty()) return {Rejection::kTimeInvalid, bad_time};
  if (!domain::IsRequestId(input.request_id())) {
    return {Rejection::kRequestIdInvalid,
            fmt::format("request_id {} must be at most {} bytes of printable ASCII",
                        Quoted(input.request_id()), domain::kIdBytesMax)};
  }
  if (input.meter_signature().size() > kSignatureBytesMax) {
    return {Rejection::kRequestIdInvalid,
            fmt::format("meter_signature must have at most {} bytes", kSignatureBytesMax)};
  }
  if (input.meter_counter() < 0) {
    return {Rejection::kRequestIdInvalid,
            fmt::format("meter_counter {} must not be below zero", input.meter_counter())};
  }
  return {};
}

template <typename Enum, typename Out>
absl::Status CopyKnown(const google::protobuf::RepeatedField<int>& values, bool (*is_valid)(int),
                       std::string_view field, std::vector<Out>& out) {
  for (const int value : values) {
    if (value == 0 || !is_valid(value)) {
      return BadField(field, fmt::format("{} is none that this server knows", value));
    }
    out.push_back(static_cast<Out>(value));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<domain::Energy>> EnergyBound(std::string_view text,
                                                          std::string_view field) {
  if (text.empty()) return std::optional<domain::Energy>();
  const absl::StatusOr<domain::Energy> energy = domain::Energy::Parse(text);
  if (!energy.ok()) return BadField(field, base::Message(energy.status()));
  return std::optional(*energy);
}

}  // namespace

ingest::Candidate ToCandidate(const v1::ReadingInput& input) {
  ingest::Candidate candidate;
  candidate.malformed = Read(input, candidate);
  domain::Reading& reading = candidate.reading;
  reading.meter_id = input.meter_id();
  reading.quality = QualityOf(input.quality());
  reading.channel = ChannelOf(input.channel());
  if (input.has_telemetry()) reading.telemetry = TelemetryOf(input.telemetry());
  if (candidate.malformed.rejection == Rejection::kNone) {
    reading.meter_signature = input.meter_signature();
    reading.meter_counter = input.meter_counter();
    reading.request_id = input.request_id();
  }
  return candidate;
}

std::vector<ingest::Candidate> ToCandidates(
    const google::protobuf::RepeatedPtrField<v1::ReadingInput>& inputs) {
  std::vector<ingest::Candidate> candidates;
  candidates.reserve(static_cast<std::size_t>(inputs.size()));
  for (const v1::ReadingInput& input : inputs) candidates.push_back(ToCandidate(input));
  return candidates;
}

absl::StatusOr<domain::EventFilter> FilterFromProto(const v1::EventFilter& filter) {
  domain::EventFilter out;
  WATTMINT_RETURN_IF_ERROR(
      CopyKnown<v1::EventType>(filter.types(), v1::EventType_IsValid, "filter.types", out.types));
  WATTMINT_RETURN_IF_ERROR(CopyKnown<v1::MintState>(filter.mint_states(), v1::MintState_IsValid,
                                                    "filter.mint_states", out.mint_states));
  out.meter_ids.assign(filter.meter_ids().begin(), filter.meter_ids().end());
  out.user_ids.assign(filter.user_ids().begin(), filter.user_ids().end());
  out.wallet_addresses.assign(filter.wallet_addresses().begin(), filter.wallet_addresses().end());
  out.batch_ids.assign(filter.batch_ids().begin(), filter.batch_ids().end());
  out.task_ids.assign(filter.task_ids().begin(), filter.task_ids().end());
  WATTMINT_ASSIGN_OR_RETURN(out.energy_min,
                            EnergyBound(filter.min_energy_kwh(), "filter.min_energy_kwh"));
  WATTMINT_ASSIGN_OR_RETURN(out.energy_max,
                            EnergyBound(filter.max_energy_kwh(), "filter.max_energy_kwh"));
  if (absl::Status status = out.Normalize(); !status.ok()) {
    return WithField(std::move(status), "filter");
  }
  return out;
}

absl::StatusOr<access::RoleSet> RolesFromProto(const google::protobuf::RepeatedField<int>& roles) {
  access::RoleSet out;
  for (const int role : roles) {
    if (role == 0 || !v1::Role_IsValid(role)) {
      return BadField("roles", fmt::format("{} is no role that this server knows", role));
    }
    out.Add(static_cast<access::Role>(role));
  }
  return out;
}

std::optional<domain::Time> TimeFromProto(const google::protobuf::Timestamp& time) {
  const std::optional<std::int64_t> micros = MicrosOf(time.seconds(), time.nanos());
  if (!micros.has_value()) return std::nullopt;
  return domain::Time(domain::Duration(*micros));
}

absl::StatusOr<domain::ReadingId> ReadingIdFromProto(std::string_view text) {
  const std::optional<domain::ReadingId> reading_id = domain::ReadingId::Parse(text);
  if (!reading_id.has_value()) return BadField("reading_id", "is no reading id of this server");
  return *reading_id;
}

absl::StatusOr<int> PageSize(std::int32_t asked, int standard, int max) {
  if (asked == 0) return standard;
  if (asked < 0 || asked > max) return BadField("page_size", fmt::format("must be 1 to {}", max));
  return asked;
}

}  // namespace wattmint::rpc
