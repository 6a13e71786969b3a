// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/access/verification_key.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/sha256.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace wattmint::access {

inline constexpr std::size_t kTokenBytesMax = 8'192;  // chosen: what gRPC metadata may hold

// The refusals of tokens.
absl::Status InvalidToken();
absl::Status ExpiredToken();

// Where the keys are and what a token must say.
struct JwtOptions {
  enum class KeyFormat {
    kJwks,    // a JSON Web Key Set
    kSecret,  // the bytes of one HS256 secret; one line break at the end is not part of it
  };
  std::filesystem::path key_file;
  KeyFormat key_format = KeyFormat::kJwks;
  std::string issuer = {};                           // `iss` must equal it; empty: not asked
  std::string audience = {};                         // `aud` must hold it; empty: not asked
  base::Duration leeway = std::chrono::seconds(30);  // by which clocks may differ
};

// Makes principals of signed JSON Web Tokens (RFC 7519, compact form).
//
// The key chooses the algorithm, never the token. `exp` and `sub` (a user id) are required, `nbf`
// is honoured; `role` or `roles` (a name or an array; unknown names are passed over) default to
// user; `wallet` (an address or an array) is optional. A principal expires at `exp` plus leeway.
//
// A signature is checked once: good tokens are remembered until they expire or the keys change.
// Threads: any.
// Lifetime: the clock must outlive it.
// Errors of Verify(): kUnauthenticated with INVALID_TOKEN or EXPIRED_TOKEN, and no word on why.
class JwtVerifier {
 public:
  // Errors: of Reload().
  static absl::StatusOr<std::unique_ptr<JwtVerifier>> Open(JwtOptions options, base::Clock& clock);
  JwtVerifier(const JwtVerifier&) = delete;
  JwtVerifier& operator=(const JwtVerifier&) = delete;

  absl::StatusOr<Principal> Verify(std::string_view token) WATTMINT_EXCLUDES(mutex_);

  // Reads the key file again. After an error the keys are what they were.
  // Errors: kNotFound if the file cannot be read; kInvalidArgument if it holds no usable keys;
  // kPermissionDenied if it is a secret that others may read.
  absl::Status Reload() WATTMINT_EXCLUDES(mutex_);

 private:
  // shared: by the calls that use it while a reload replaces it.
  using SharedKeys = std::shared_ptr<const KeySet>;

  JwtVerifier(JwtOptions options, base::Clock& clock);
  absl::StatusOr<Principal> VerifyUnknown(std::string_view token, const KeySet& keys) const;
  void Remember(const base::Sha256Digest& token_hash, const SharedKeys& keys,
                const Principal& principal) WATTMINT_EXCLUDES(mutex_);

  const JwtOptions options_;
  base::Clock& clock_;
  base::Mutex mutex_;  // guards the keys and what they have proved
  SharedKeys keys_ WATTMINT_GUARDED_BY(mutex_);
  absl::flat_hash_map<base::Sha256Digest, Principal> verified_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::access
