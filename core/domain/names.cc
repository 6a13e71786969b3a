// SPDX-License-Identifier: Apache-2.0
#include "core/domain/mint_state.h"
#include "core/domain/mint_task.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"
#include "core/domain/severity.h"

#include <array>

namespace wattmint::domain {
namespace {

template <std::size_t N, typename Enum>
std::string_view At(const std::array<std::string_view, N>& names, Enum value,
                    std::string_view unknown = "UNKNOWN") {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : unknown;
}

constexpr std::array<std::string_view, 9> kMintStates = {
    "UNKNOWN",   "PENDING", "CLAIMED",  "SIGNED",         "SUBMITTED",
    "CONFIRMED", "PARKED",  "REJECTED", "NOT_APPLICABLE",
};

constexpr std::array<std::string_view, kRejectionsMax + 1> kRejections = {
    "NONE",
    "METER_ID_INVALID",
    "ENERGY_INVALID",
    "TIME_INVALID",
    "REQUEST_ID_INVALID",
    "METER_NOT_PERMITTED",
    "METER_UNKNOWN",
    "EXISTS_WITH_DIFFERENT_ENERGY",
    "REQUEST_ID_REUSED",
    "ENERGY_NEGATIVE",
    "ENERGY_TOO_HIGH",
    "INTERVAL_TOO_LONG",
    "TIME_IN_FUTURE",
    "TIME_TOO_OLD",
    "OVERLAPS_READING",
    "WITHIN_DUPLICATE_WINDOW",
    "SUBMITTED_TOO_SOON",
    "METER_SIGNATURE_MISSING",
    "METER_SIGNATURE_INVALID",
    "METER_COUNTER_REPLAYED",
};

constexpr std::array<std::string_view, 5> kQualities = {
    "unknown", "actual", "estimated", "substituted", "final",
};

constexpr std::array<std::string_view, 3> kChannels = {"unknown", "generation", "consumption"};

constexpr std::array<std::string_view, 4> kSeverities = {"unknown", "info", "warning", "critical"};

}  // namespace

std::string_view Name(MintState state) { return At(kMintStates, state); }

std::string_view Name(Quality quality) { return At(kQualities, quality, kQualities[0]); }

std::string_view Name(Channel channel) { return At(kChannels, channel, kChannels[0]); }

std::string_view Name(Severity severity) { return At(kSeverities, severity, kSeverities[0]); }

std::string_view Name(Rejection rejection) { return At(kRejections, rejection); }

bool HasCode(std::string_view reason, std::string_view code) {
  return reason.starts_with(code) && reason.substr(code.size()).starts_with(':');
}

std::string IdempotencyKey(const ReadingId& reading_id) { return reading_id.ToString(); }

}  // namespace wattmint::domain
