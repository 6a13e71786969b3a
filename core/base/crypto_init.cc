// SPDX-License-Identifier: Apache-2.0
#include "core/base/crypto_init.h"

#include "core/base/assert.h"

#include <sodium.h>

namespace wattmint::base {

void EnsureCryptoReady() {
  static const int kResult = sodium_init();
  WATTMINT_ASSERT(kResult >= 0, "libsodium finds no source of randomness");
}

}  // namespace wattmint::base
