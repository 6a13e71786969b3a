// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/validator.h"

#include "core/base/status_macros.h"
#include "core/base/time_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace wattmint::ingest {
namespace {

using domain::Reading;
using domain::Refusal;
using domain::Rejection;

std::int64_t Seconds(domain::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

Refusal CheckTime(const Submitter& submitter, const Reading& reading,
                  const domain::ReadingLimits& limits, domain::Time now) {
  if (reading.length > limits.interval_max) {
    return {Rejection::kIntervalTooLong,
            fmt::format("an interval of {} s is above the limit of {} s", Seconds(reading.length),
                        Seconds(limits.interval_max))};
  }
  if (reading.end() > now + limits.future_max) {
    return {Rejection::kTimeInFuture,
            fmt::format("the reading ends at {}, more than {} s in the future",
                        base::FormatRfc3339(reading.end()), Seconds(limits.future_max))};
  }
  if (!submitter.any_age && reading.end() < now - limits.age_max) {
    return {Rejection::kTimeTooOld,
            fmt::format("the reading ended at {}, more than {} s ago",
                        base::FormatRfc3339(reading.end()), Seconds(limits.age_max))};
  }
  return {};
}

absl::StatusOr<Refusal> CheckHistory(const Submitter& submitter, const Reading& reading,
                                     const domain::ReadingLimits& limits, domain::Time now,
                                     ReadingHistory& history) {
  WATTMINT_ASSIGN_OR_RETURN(const bool overlaps, history.HasOverlap(reading));
  if (overlaps) {
    return Refusal{Rejection::kOverlapsReading,
                   fmt::format("a reading from {} to {} overlaps another of meter {}",
                               base::FormatRfc3339(reading.start),
                               base::FormatRfc3339(reading.end()), reading.meter_id)};
  }
  if (reading.IsPoint()) {
    WATTMINT_ASSIGN_OR_RETURN(const bool is_near,
                              history.HasPointNear(reading.start, limits.duplicate_window));
    if (is_near) {
      return Refusal{
          Rejection::kWithinDuplicateWindow,
          fmt::format("meter {} has a reading within {} s of {}", reading.meter_id,
                      Seconds(limits.duplicate_window), base::FormatRfc3339(reading.start))};
    }
  }
  const auto last_accept = submitter.rate_limited ? history.LastAccept() : std::nullopt;
  if (last_accept && now - *last_accept < limits.submit_gap) {
    return Refusal{
        Rejection::kSubmittedTooSoon,
        fmt::format("meter {} submitted {} s ago; wait {} s between readings", reading.meter_id,
                    Seconds(now - *last_accept), Seconds(limits.submit_gap))};
  }
  return Refusal{};
}

}  // namespace

domain::Refusal CheckEnergy(const Reading& reading, const domain::ReadingLimits& limits) {
  if (reading.energy < domain::Energy()) {
    return {Rejection::kEnergyNegative,
            fmt::format("energy {} kWh is below zero", reading.energy.ToString())};
  }
  if (reading.energy > limits.energy_max) {
    return {Rejection::kEnergyTooHigh,
            fmt::format("energy {} kWh is above the limit of {} kWh", reading.energy.ToString(),
                        limits.energy_max.ToString())};
  }
  return {};
}

domain::Refusal CheckMeter(const Submitter& submitter, const Reading& reading,
                           const domain::Meter* meter) {
  if (!submitter.any_meter && (meter == nullptr || meter->user_id != submitter.user_id)) {
    return {Rejection::kMeterNotPermitted,
            fmt::format("meter {} is none of yours", reading.meter_id)};
  }
  if (meter == nullptr) {
    return {Rejection::kMeterUnknown,
            fmt::format("meter {} is not registered; register it first", reading.meter_id)};
  }
  return {};
}

absl::StatusOr<domain::Refusal> CheckReading(const Submitter& submitter, const Reading& reading,
                                             const domain::ReadingLimits& limits, domain::Time now,
                                             ReadingHistory& history) {
  Refusal refusal = CheckEnergy(reading, limits);
  if (refusal.rejection != Rejection::kNone) return refusal;
  refusal = CheckTime(submitter, reading, limits, now);
  if (refusal.rejection != Rejection::kNone) return refusal;
  return CheckHistory(submitter, reading, limits, now, history);
}

absl::StatusOr<domain::Refusal> CheckCounter(const Reading& reading, const domain::Meter& meter,
                                             ReadingHistory& history) {
  // The older text has no counter; without a key nobody vouches for one.
  if (meter.public_key.empty() || reading.meter_counter == 0) return Refusal{};
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t last, history.LastCounter(meter.public_key));
  if (reading.meter_counter > last) return Refusal{};
  return Refusal{Rejection::kMeterCounterReplayed,
                 fmt::format("counter {} of meter {} is not above {}, which was accepted before",
                             reading.meter_counter, reading.meter_id, last)};
}

domain::MintState InitialMintState(const Reading& reading, const domain::ReadingLimits& limits) {
  const bool is_minted = reading.channel == domain::Channel::kGeneration &&
                         reading.energy > domain::Energy() &&
                         (reading.quality != domain::Quality::kEstimated || limits.mint_estimated);
  return is_minted ? domain::MintState::kPending : domain::MintState::kNotApplicable;
}

}  // namespace wattmint::ingest
