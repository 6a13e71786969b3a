// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::access {

// How a token is signed. Source: RFC 7518 section 3.1, RFC 8037 section 3.1.
enum class SigningAlgorithm { kHs256, kRs256, kEs256, kEdDsa };

// "HS256", "RS256", "ES256", "EdDSA"; everything else, and "none" above all, is nothing.
std::optional<SigningAlgorithm> ParseSigningAlgorithm(std::string_view name);

inline constexpr std::size_t kHmacSecretBytesMin = 32;  // Source: RFC 7518 section 3.2
inline constexpr unsigned kRsaBitsMin = 2'048;          // Source: RFC 7518 section 3.3

// A key that checks signatures of exactly one algorithm: what a token says of its algorithm never
// chooses how it is checked. Immutable.
class VerificationKey {
 public:
  virtual ~VerificationKey() = default;
  VerificationKey(const VerificationKey&) = delete;
  VerificationKey& operator=(const VerificationKey&) = delete;

  const std::optional<std::string>& key_id() const { return key_id_; }
  SigningAlgorithm algorithm() const { return algorithm_; }
  // The same for the same key (algorithm, ID and material) in every set, never 0; not for others.
  std::uint64_t fingerprint() const { return fingerprint_; }

  // Takes the same time for every wrong signature of an HMAC. Threads: any.
  virtual bool IsSignatureOf(std::string_view text, base::ByteView signature) const = 0;

 protected:
  // `material`: what makes it another key than others.
  VerificationKey(std::optional<std::string> key_id, SigningAlgorithm algorithm,
                  base::ByteView material);

 private:
  const std::optional<std::string> key_id_;
  const SigningAlgorithm algorithm_;
  const std::uint64_t fingerprint_;
};

// The keys that tokens may be signed with. Immutable.
class KeySet {
 public:
  // A JSON Web Key Set (RFC 7517). Keys for other uses or algorithms are passed over.
  // Errors: kInvalidArgument for what is no key set, for a key that is malformed, weak or private,
  // for a key ID that occurs twice, and when no key is left.
  static absl::StatusOr<KeySet> FromJwks(std::string_view json);

  // One secret for HS256, without key ID. Errors: kInvalidArgument if it is too short.
  static absl::StatusOr<KeySet> FromSecret(std::string_view secret);

  // The key with that ID if it is for that algorithm; without an ID the only key for that
  // algorithm. nullptr if there is none. Valid as long as the set.
  const VerificationKey* Find(const std::optional<std::string>& key_id,
                              SigningAlgorithm algorithm) const;
  // Whether a key has that ID, whatever its algorithm.
  bool HasKeyId(std::string_view key_id) const;
  bool HasFingerprint(std::uint64_t fingerprint) const;

  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<std::unique_ptr<const VerificationKey>> keys_;
};

}  // namespace wattmint::access
