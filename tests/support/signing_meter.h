// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/base58.h"
#include "core/base/ed25519.h"
#include "core/ingest/reading_text.h"

#include <string>
#include <utility>

namespace wattmint::test {

// A meter that signs what it reports, with a key of its own for each `number`.
class SigningMeter {
 public:
  explicit SigningMeter(std::uint8_t number) : key_(base::Ed25519Seed{number}) {}
  explicit SigningMeter(const base::Ed25519Seed& seed) : key_(seed) {}

  std::string public_key() const { return base::EncodeBase58(key_.public_key()); }
  std::string Sign(std::string_view text) const { return base::EncodeBase58(key_.Sign(text)); }
  domain::Reading Signed(domain::Reading reading, std::int64_t counter) const {
    reading.meter_counter = counter;
    reading.meter_signature = Sign(ingest::ReadingText(reading));
    return reading;
  }
  // By the older text, which has no counter.
  domain::Reading LegacySigned(domain::Reading reading, std::string_view wallet_address) const {
    reading.meter_signature = Sign(ingest::LegacyReadingText(reading, wallet_address));
    return reading;
  }

 private:
  base::Ed25519Key key_;
};

}  // namespace wattmint::test
