// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ed25519.h"

#include <absl/status/statusor.h>

#include <span>
#include <string>
#include <vector>

namespace wattmint::ledger {

// Who holds the ledger's key: this process, or another one that never gives it away.
//
// A signature is a proposal: whoever uses it checks it against public_key() first.
// Threads: any.
// Errors of one text: kInvalidArgument, it is refused for good; kUnavailable and kDeadlineExceeded,
// the signer is away or puts it off, and nothing was signed as far as is known: ask again later.
class Signer {
 public:
  virtual ~Signer() = default;
  // The same as long as it lives.
  virtual const Ed25519PublicKey& public_key() const = 0;
  // One answer for each text, in order; one that is refused does not stop the others. Blocks for a
  // limited time.
  virtual std::vector<absl::StatusOr<Ed25519Signature>> Sign(
      std::span<const std::string> texts) = 0;
};

}  // namespace wattmint::ledger
