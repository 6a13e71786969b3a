// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/time.h"
#include "core/domain/token_amount.h"

#include <chrono>
#include <cstdint>

namespace wattmint::domain {

inline constexpr int kReadingsPerRequestMax = 10'000;  // chosen: 1 MB of request
inline constexpr int kEventsPerPageMax = 10'000;       // chosen: 3 MB of answer
inline constexpr int kListPageMax = 1'000;             // chosen
inline constexpr int kListPageDefault = 100;           // chosen

// Whether and when a reading is accepted. Source of the defaults: S2 (100 kWh, 7 days, 15 minutes,
// 5 minutes).
struct ReadingLimits {
  Energy energy_max = Energy::FromNanoKwh(100'000'000'000);  // included
  Duration interval_max = std::chrono::days(31);             // included
  Duration future_max = std::chrono::seconds(60);            // included
  Duration age_max = std::chrono::days(7);                   // included
  Duration duplicate_window = std::chrono::minutes(15);      // excluded; point readings only
  Duration submit_gap = std::chrono::minutes(5);  // excluded; for each meter, role user only
  bool mint_estimated = false;                    // whether estimated readings are minted
};

// How mints are made. Source of the defaults: S2.
struct MintLimits {
  Ratio ratio;             // tokens for one kWh, 1 by default
  bool automatic = false;  // whether tasks are worked without MintReading
  int batch_max = 50;      // tasks in one batch
  Duration poll_interval = std::chrono::seconds(60);  // looks for due tasks at least so often
  int attempts_max = 3;                               // then PARKED
  Duration backoff_initial = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::minutes(5);
};

}  // namespace wattmint::domain
