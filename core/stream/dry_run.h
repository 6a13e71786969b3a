// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"
#include "core/domain/time.h"
#include "core/store/event_log.h"
#include "core/stream/interest.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>

namespace wattmint::stream {

// What a subscription would have brought of a stretch of the log.
struct DryRun {
  struct Count {
    std::int64_t events = 0;
    std::int64_t bytes = 0;  // as streamed
  };
  Count all;
  std::map<domain::EventType, Count> by_type;
  std::int64_t peak_per_second = 0;  // events that match, of one second of the clock
  std::int64_t scanned = 0;
  std::int64_t last = 0;  // everything up to here was looked at
  std::optional<domain::Time> first_time;
  std::optional<domain::Time> last_time;

  // Over the time of the stretch; 0 when that has no length.
  double MeanPerSecond() const;
};

// Looks at the events behind `after` up to `head` (included), at most `scan_max` of them. Reads
// from disk. Errors: kOutOfRange with COMPACTED; the log's.
absl::StatusOr<DryRun> TryOut(const Interest& interest, store::EventLog& log, std::int64_t after,
                              std::int64_t head, std::int64_t scan_max);

}  // namespace wattmint::stream
