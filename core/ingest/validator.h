// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/limits.h"
#include "core/domain/meter.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"

#include <absl/status/statusor.h>

#include <optional>
#include <string>

namespace wattmint::ingest {

// Who submits, as far as validation asks.
struct Submitter {
  std::string user_id;
  bool any_meter = false;     // admin, ingest: for every meter; else only for the user's own
  bool any_age = false;       // the age limit does not hold
  bool rate_limited = false;  // role user: one submission a meter in submit_gap
};

// What validation has to know of the meter's accepted readings.
// Threads: one. Errors: the environment's.
class ReadingHistory {
 public:
  virtual ~ReadingHistory() = default;
  virtual absl::StatusOr<bool> HasOverlap(const domain::Reading& reading) = 0;
  // Whether a point reading lies nearer than `window` to `time` (excluded).
  virtual absl::StatusOr<bool> HasPointNear(domain::Time time, domain::Duration window) = 0;
  // When the meter's newest reading was accepted, if that is known to be recent.
  virtual std::optional<domain::Time> LastAccept() = 0;
  // The greatest counter that was accepted with this key; 0 if there was none.
  virtual absl::StatusOr<std::int64_t> LastCounter(const std::string& public_key) = 0;
};

// The checks that come before idempotency: may the caller submit for this meter?
// `meter` is absent when it is not registered.
domain::Refusal CheckMeter(const Submitter& submitter, const domain::Reading& reading,
                           const domain::Meter* meter);

// Whether the energy is such as a reading may have; kNone if it is.
domain::Refusal CheckEnergy(const domain::Reading& reading, const domain::ReadingLimits& limits);

// The checks behind idempotency and before the signature, in the order of domain::Rejection; the
// first that fails is the answer, kNone if all pass.
absl::StatusOr<domain::Refusal> CheckReading(const Submitter& submitter,
                                             const domain::Reading& reading,
                                             const domain::ReadingLimits& limits, domain::Time now,
                                             ReadingHistory& history);

// The last check: the counter of a signed reading goes up. REQUIRES: CheckSignature() passed.
absl::StatusOr<domain::Refusal> CheckCounter(const domain::Reading& reading,
                                             const domain::Meter& meter, ReadingHistory& history);

// Whether an accepted reading is to be minted.
domain::MintState InitialMintState(const domain::Reading& reading,
                                   const domain::ReadingLimits& limits);

}  // namespace wattmint::ingest
