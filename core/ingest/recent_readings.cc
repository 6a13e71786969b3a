// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/recent_readings.h"

namespace wattmint::ingest {

RecentReadings::Meter* RecentReadings::Find(std::int64_t meter_ref) {
  const auto it = meters_.find(meter_ref);
  return it == meters_.end() ? nullptr : &it->second;
}

RecentReadings::Meter& RecentReadings::Put(std::int64_t meter_ref, const Meter& meter) {
  return meters_.insert_or_assign(meter_ref, meter).first->second;
}

}  // namespace wattmint::ingest
