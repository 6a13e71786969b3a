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
inline constexpr int kAnnouncementBytesMax = 1'000;    // chosen: a paragraph

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
  // Whether readings of meters without a key are refused; of a meter with a key every reading must
  // be signed, whatever is set.
  bool signatures_required = false;
  bool legacy_signatures = false;  // whether signatures over the older text are accepted
  bool quarantine = true;          // whether what is not plausible is set aside before it is minted
  // Times the greatest mean power of the meter so far. Chosen: a plant that is ten times as large
  // as it was; the greatest such rise in a year of 17 homes is 2.3.
  int jump_factor = 10;
};

// How mints are made. Source of the defaults: S2, unless said otherwise.
struct MintLimits {
  Ratio ratio;              // tokens for one kWh, 1 by default
  bool automatic = false;   // whether tasks are worked without MintReading
  int batch_max = 50;       // tasks in one batch
  int in_work_max = 1'000;  // claimed, signed or sent at a time. Chosen: some seconds of work
  Duration poll_interval = std::chrono::seconds(60);  // looks for due tasks at least so often
  int attempts_max = 3;  // signings and definite failures of one task; then PARKED
  // A claim that is older belongs to nobody. Chosen: longer than any batch takes to be signed.
  Duration claim_lease = std::chrono::seconds(10);
  Duration backoff_initial = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::seconds(30);  // chosen: a ledger that is back is used soon
  // Caps that no request can get around. A reading above the one is parked; what is above the other
  // waits for the next day (UTC).
  Energy energy_max = Energy::FromNanoKwh(100'000'000'000);  // of one reading, included
  Energy day_energy_max;                                     // signed in one day; 0: no cap
};

}  // namespace wattmint::domain
