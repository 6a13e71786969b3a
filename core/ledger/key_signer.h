// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/signer.h"

#include <memory>
#include <string_view>

namespace wattmint::ledger {

// Signs whatever it is given, with a key in memory that is wiped at the end. Threads: any.
class KeySigner final : public Signer {
 public:
  explicit KeySigner(const Ed25519Seed& seed) : key_(seed) {}
  // From a seed of 64 hex digits. Errors: kInvalidArgument, which does not repeat them.
  static absl::StatusOr<std::unique_ptr<KeySigner>> FromHex(std::string_view hex);

  const Ed25519PublicKey& public_key() const override { return key_.public_key(); }
  std::vector<absl::StatusOr<Ed25519Signature>> Sign(std::span<const std::string> texts) override;

 private:
  const Ed25519Key key_;
};

}  // namespace wattmint::ledger
