// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/limits.h"
#include "core/domain/meter.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"

#include <string>

namespace wattmint::ingest {

// What may be said of a reading's signature without the meter's history:
// METER_SIGNATURE_MISSING, METER_SIGNATURE_INVALID, or kNone. Of a meter with a key every reading
// must be signed. Pure; takes about 70 us where there is a signature to verify, else next to
// nothing.
domain::Refusal CheckSignature(const domain::Reading& reading, const domain::Meter& meter,
                               const domain::ReadingLimits& limits);

// What CheckSignature() said, and of which key and wallet: it holds for a meter as long as it has
// these.
struct SignatureVerdict {
  std::string public_key;
  std::string wallet_address;
  domain::Refusal refusal;

  bool HoldsFor(const domain::Meter& meter) const {
    return public_key == meter.public_key && wallet_address == meter.wallet_address;
  }
};

}  // namespace wattmint::ingest
