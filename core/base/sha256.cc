// SPDX-License-Identifier: Apache-2.0
#include "core/base/sha256.h"

#include <sodium.h>

namespace wattmint::base {

Sha256Digest Sha256(ByteView bytes) {
  Sha256Digest digest;
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return digest;
}

}  // namespace wattmint::base
