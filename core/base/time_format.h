// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>

namespace wattmint::base {

// Parses RFC 3339, strictly: YYYY-MM-DDThh:mm:ss, 0 to 6 fraction digits, then Z or ±hh:mm.
// Errors: kInvalidArgument with a sentence; also for a leap second (:60), for more than six
// fraction digits, and for an instant outside the years 1970 to 9999 (both included) in UTC.
absl::StatusOr<Time> ParseRfc3339(std::string_view text);

// Formats with Z, and with 3 or 6 fraction digits unless the fraction is zero.
std::string FormatRfc3339(Time time);

// What a clock on a wall in some time zone shows: one instant; two, when clocks are set back; or
// none, when they are set forward.
struct LocalTime {
  enum class Kind { kUnique, kRepeated, kSkipped };

  Kind kind;
  Time earlier;  // not set if skipped
  Time later;    // equal to `earlier` if unique, not set if skipped
};

// Parses YYYY-MM-DD hh:mm[:ss[.ffffff]], with a space or a T in the middle and no offset, as shown
// in `zone`. Errors: as ParseRfc3339().
absl::StatusOr<LocalTime> ParseLocalTime(std::string_view text, const absl::TimeZone& zone);

// Finds a zone by its IANA name, for example Europe/Zurich. Errors: kInvalidArgument.
absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view name);

}  // namespace wattmint::base
