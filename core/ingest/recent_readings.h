// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/power.h"
#include "core/domain/time.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>

namespace wattmint::ingest {

// What the writer remembers of each meter, so that a reading behind everything known (the usual
// case) needs no look into the database. Threads: one. The database remains the truth: Clear()
// whenever a transaction broke.
class RecentReadings {
 public:
  struct Meter {
    std::optional<domain::Time> last_end;     // greatest end of the meter's readings
    bool may_end_in_point = true;             // whether a point reading may lie at last_end
    std::optional<domain::Time> last_accept;  // of the newest reading since the start
    std::string public_key;                   // that `counter` was signed with; empty: not known
    std::int64_t counter = 0;                 // greatest that was accepted
    std::optional<domain::PowerPeak> peak;    // of what was minted or waits to be
  };
  Meter* Find(std::int64_t meter_ref);
  Meter& Put(std::int64_t meter_ref, const Meter& meter);
  void Clear() { meters_.clear(); }

 private:
  absl::flat_hash_map<std::int64_t, Meter> meters_;
};

}  // namespace wattmint::ingest
