// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::domain {

// Why a reading was refused. The number is the order of the checks: the first that fails is the
// answer. Numbers are stored and sent (wattmint.v1.Rejection): never renumber. protos/README.md has
// a paragraph for each.
enum class Rejection : std::uint8_t {
  kNone = 0,
  kMeterIdInvalid = 1,
  kEnergyInvalid = 2,
  kTimeInvalid = 3,
  kRequestIdInvalid = 4,
  kMeterNotPermitted = 5,
  kMeterUnknown = 6,
  kExistsWithDifferentEnergy = 7,
  kRequestIdReused = 8,
  kEnergyNegative = 9,
  kEnergyTooHigh = 10,
  kIntervalTooLong = 11,
  kTimeInFuture = 12,
  kTimeTooOld = 13,
  kOverlapsReading = 14,
  kWithinDuplicateWindow = 15,
  kSubmittedTooSoon = 16,
  kMeterSignatureMissing = 17,
  kMeterSignatureInvalid = 18,
  kMeterCounterReplayed = 19,
};
inline constexpr int kRejectionsMax = 19;

// "METER_UNKNOWN" ...: the name in the proto without its prefix.
std::string_view Name(Rejection rejection);

// A rejection with its sentence, which names the offending value.
struct Refusal {
  Rejection rejection = Rejection::kNone;
  std::string message;
};

}  // namespace wattmint::domain
