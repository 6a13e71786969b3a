// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/base/uuid.h"

namespace wattmint::storage {

// A UUID of version 4 (RFC 9562).
inline base::Uuid RandomUuid(base::RandomSource& random) {
  base::Uuid uuid;
  random.Fill(uuid.bytes);
  uuid.bytes[6] = (uuid.bytes[6] & 0x0f) | 0x40;
  uuid.bytes[8] = (uuid.bytes[8] & 0x3f) | 0x80;
  return uuid;
}

}  // namespace wattmint::storage
