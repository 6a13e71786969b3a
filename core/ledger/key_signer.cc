// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/key_signer.h"

#include "core/base/hex.h"
#include "core/base/status.h"
#include "core/base/wipe.h"

#include <algorithm>

namespace wattmint::ledger {

absl::StatusOr<std::unique_ptr<KeySigner>> KeySigner::FromHex(std::string_view hex) {
  absl::StatusOr<base::Bytes> bytes = base::DecodeHex(hex);
  Ed25519Seed seed{};
  if (!bytes.ok()) return base::InvalidArgument("a key of 64 hex digits is expected");
  const base::WipeAtEnd wipe_bytes(*bytes);
  if (bytes->size() != seed.size()) {
    return base::InvalidArgument("a key of 64 hex digits is expected, not of {}", hex.size());
  }
  const base::WipeAtEnd wipe_seed(seed);
  std::copy(bytes->begin(), bytes->end(), seed.begin());
  return std::make_unique<KeySigner>(seed);
}

std::vector<absl::StatusOr<Ed25519Signature>> KeySigner::Sign(std::span<const std::string> texts) {
  std::vector<absl::StatusOr<Ed25519Signature>> signatures;
  signatures.reserve(texts.size());
  for (const std::string& text : texts) signatures.emplace_back(key_.Sign(text));
  return signatures;
}

}  // namespace wattmint::ledger
