// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/ed25519.h"

namespace wattmint::ledger {

using base::Ed25519Key;
using base::Ed25519PublicKey;
using base::Ed25519Seed;
using base::Ed25519Signature;
using base::VerifyEd25519;

}  // namespace wattmint::ledger
