// SPDX-License-Identifier: Apache-2.0
#include "core/base/ed25519.h"

#include "core/base/bytes.h"
#include "core/base/crypto_init.h"

#include <sodium.h>

namespace wattmint::base {

Ed25519Key::Ed25519Key(const Ed25519Seed& seed) {
  EnsureCryptoReady();
  crypto_sign_ed25519_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
}

Ed25519Key::~Ed25519Key() { sodium_memzero(secret_key_.data(), secret_key_.size()); }

Ed25519Signature Ed25519Key::Sign(std::string_view bytes) const {
  Ed25519Signature signature;
  crypto_sign_ed25519_detached(signature.data(), nullptr, AsBytes(bytes).data(), bytes.size(),
                               secret_key_.data());
  return signature;
}

bool IsEd25519PublicKey(const Ed25519PublicKey& key) {
  EnsureCryptoReady();
  return crypto_core_ed25519_is_valid_point(key.data()) == 1;
}

bool VerifyEd25519(const Ed25519PublicKey& key, std::string_view bytes,
                   const Ed25519Signature& signature) {
  EnsureCryptoReady();
  return crypto_sign_ed25519_verify_detached(signature.data(), AsBytes(bytes).data(), bytes.size(),
                                             key.data()) == 0;
}

}  // namespace wattmint::base
