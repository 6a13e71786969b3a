// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/sha256.h"

namespace wattmint::base {

// HMAC-SHA-256 (RFC 2104) with a key of any length. Check one with ConstantTimeEqual().
Sha256Digest HmacSha256(ByteView key, ByteView bytes);

// Compares secrets in a time that tells nothing but whether the lengths differ.
bool ConstantTimeEqual(ByteView a, ByteView b);

}  // namespace wattmint::base
