// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wattmint::base {

using Ed25519Seed = std::array<std::uint8_t, 32>;
using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

// An Ed25519 key pair (RFC 8032), by libsodium, which refuses public keys of small order. Wiped at
// its end. Threads: any.
class Ed25519Key {
 public:
  explicit Ed25519Key(const Ed25519Seed& seed);
  ~Ed25519Key();
  Ed25519Key(const Ed25519Key&) = delete;
  Ed25519Key& operator=(const Ed25519Key&) = delete;

  const Ed25519PublicKey& public_key() const { return public_key_; }
  // The same bytes always give the same signature.
  Ed25519Signature Sign(std::string_view bytes) const;

 private:
  Ed25519PublicKey public_key_{};
  std::array<std::uint8_t, 64> secret_key_{};
};

// Whether these bytes may stand for a public key: the canonical form of a point of the main
// subgroup. Others must not be taken: under a key of small order anybody can sign.
bool IsEd25519PublicKey(const Ed25519PublicKey& key);

bool VerifyEd25519(const Ed25519PublicKey& key, std::string_view bytes,
                   const Ed25519Signature& signature);

}  // namespace wattmint::base
