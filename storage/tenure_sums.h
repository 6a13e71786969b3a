// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/mint_state.h"
#include "storage/connection.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>

namespace wattmint::storage {

// Adds up what one transaction changes in the sums that the table `tenures` keeps, so that nobody
// has to walk all readings to know them.
class TenureSums {
 public:
  // `energy_nano_kwh` counts as generated energy; 0 for consumption.
  void AddReading(std::int64_t tenure_ref, std::int64_t energy_nano_kwh,
                  domain::MintState mint_state);
  // A reading of generation says so much more now.
  void AddEnergy(std::int64_t tenure_ref, std::int64_t nano_kwh) {
    changes_[tenure_ref].energy += nano_kwh;
  }
  // `sign` 1 when a task gets into `state`, -1 when it leaves it.
  void AddTask(std::int64_t tenure_ref, int sign, domain::MintState state,
               std::int64_t energy_nano_kwh, std::int64_t base_units);
  // Writes all changes. Throws SQLite::Exception.
  void Flush(Connection& connection);

 private:
  struct Change {
    std::int64_t readings = 0;
    std::int64_t not_applicable = 0;
    std::int64_t confirmed = 0;
    std::int64_t parked = 0;
    std::int64_t rejected = 0;
    std::int64_t energy = 0;
    std::int64_t confirmed_energy = 0;
    std::int64_t confirmed_tokens = 0;
  };
  absl::flat_hash_map<std::int64_t, Change> changes_;  // by tenure_ref
};

}  // namespace wattmint::storage
