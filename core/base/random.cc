// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"

#include "core/base/assert.h"
#include "core/base/crypto_init.h"

#include <sodium.h>

#include <array>
#include <bit>

namespace wattmint::base {

uint64_t RandomSource::NextUint64() {
  std::array<uint8_t, sizeof(uint64_t)> bytes;
  Fill(bytes);
  return std::bit_cast<uint64_t>(bytes);
}

uint64_t RandomSource::NextBelow(uint64_t bound) {
  WATTMINT_ASSERT(bound > 0, "a bound of zero");
  // Values below 2^64 mod bound would make small remainders likelier than large ones.
  const uint64_t rejected_below = (uint64_t{0} - bound) % bound;
  uint64_t value = NextUint64();
  while (value < rejected_below) value = NextUint64();
  return value % bound;
}

void SystemRandom::Fill(std::span<uint8_t> out) {
  EnsureCryptoReady();
  if (out.empty()) return;  // libsodium wants memory also for no bytes
  randombytes_buf(out.data(), out.size());
}

}  // namespace wattmint::base
