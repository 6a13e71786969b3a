// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/meter_signature.h"

#include "core/base/base58.h"
#include "core/base/ed25519.h"
#include "core/ingest/reading_text.h"

#include <fmt/format.h>

#include <string_view>

namespace wattmint::ingest {
namespace {

using domain::Meter;
using domain::Reading;
using domain::Refusal;
using domain::Rejection;

Refusal Invalid(const Reading& reading, std::string_view why) {
  return {Rejection::kMeterSignatureInvalid,
          fmt::format("the signature of meter {} is not accepted: {}", reading.meter_id, why)};
}

Refusal Verify(const Reading& reading, const Meter& meter, std::string_view text) {
  const auto key = base::DecodeBase58Array<32>(meter.public_key);
  const auto signature = base::DecodeBase58Array<64>(reading.meter_signature);
  if (!signature.ok()) return Invalid(reading, "base58 of 64 bytes is expected");
  if (!key.ok() || !base::VerifyEd25519(*key, text, *signature)) {
    return Invalid(reading, "it does not fit the reading and the meter's public key");
  }
  return {};
}

Refusal VerifyLegacy(const Reading& reading, const Meter& meter) {
  if (const std::string_view beyond = BeyondLegacyText(reading); !beyond.empty()) {
    return Invalid(reading, fmt::format("without meter_counter it does not cover {}", beyond));
  }
  if (meter.wallet_address.empty()) {
    return Invalid(reading, "without meter_counter it covers a wallet, and the meter has none");
  }
  return Verify(reading, meter, LegacyReadingText(reading, meter.wallet_address));
}

}  // namespace

Refusal CheckSignature(const Reading& reading, const Meter& meter,
                       const domain::ReadingLimits& limits) {
  const bool has_key = !meter.public_key.empty();
  if (!has_key && !limits.signatures_required) return {};
  if (reading.meter_signature.empty()) {
    return {Rejection::kMeterSignatureMissing,
            fmt::format("readings of meter {} must be signed{}", meter.meter_id,
                        has_key ? "" : "; it has no public key yet")};
  }
  if (!has_key) return Invalid(reading, "the meter has no public key to verify it with");
  if (reading.meter_counter > 0) return Verify(reading, meter, ReadingText(reading));
  if (limits.legacy_signatures) return VerifyLegacy(reading, meter);
  return Invalid(reading, "meter_counter must be set, above zero");
}

}  // namespace wattmint::ingest
