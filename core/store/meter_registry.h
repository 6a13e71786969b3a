// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/domain/meter.h"

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::store {

// Every registered meter in memory, since each submission and each permission asks for one.
//
// Threads: any. The writer's ops change it together with the database; after the database was
// reopened it is loaded anew.
class MeterRegistry {
 public:
  void Load(std::vector<domain::Meter> meters);
  void Put(const domain::Meter& meter);

  // The meter as it is now; nullptr: there is none. Shared with whoever asks, since copies of its
  // texts cost a busy writer more than the rest of the look-up.
  std::shared_ptr<const domain::Meter> Find(std::string_view meter_id) const;
  // Meters of one user (empty: of everybody) with a meter_id above `after` (excluded), by meter_id.
  std::vector<domain::Meter> List(std::string_view user_id, std::string_view after,
                                  std::size_t count_max) const;
  // Wallets of the user's meters, each once, sorted.
  std::vector<std::string> WalletsOf(std::string_view user_id) const;
  // The wallet of the meter that changed last, among the user's meters that have one; empty: none
  // has.
  std::string LatestWalletOf(std::string_view user_id) const;
  std::size_t size() const;

 private:
  mutable base::Mutex mutex_;  // guards the map
  absl::flat_hash_map<std::string, std::shared_ptr<const domain::Meter>> meters_
      WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::store
