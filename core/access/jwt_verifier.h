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
#include <cstdint>
#include <filesystem>
#include <functional>
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
  std::filesystem::path key_file;   // this,
  std::string key_address = {};     // or where a JSON Web Key Set is by HTTPS
  std::string key_address_ca = {};  // certificates for it (PEM); empty: those of the system
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
// Threads: any; Reload() on one at a time. Only Reload() waits for a file or for the network.
// Lifetime: the clock must outlive it.
// Errors of Verify(): kUnauthenticated with INVALID_TOKEN or EXPIRED_TOKEN, and no word on why;
// kUnavailable with KEY_NOT_YET_KNOWN for a token that may be good once the keys are read again.
class JwtVerifier {
 public:
  // Errors: of Reload().
  static absl::StatusOr<std::unique_ptr<JwtVerifier>> Open(JwtOptions options, base::Clock& clock);
  JwtVerifier(const JwtVerifier&) = delete;
  JwtVerifier& operator=(const JwtVerifier&) = delete;

  absl::StatusOr<Principal> Verify(std::string_view token) WATTMINT_EXCLUDES(mutex_);

  // Whether a token that a key with this fingerprint has signed is still good, but for its time.
  bool IsKeyCurrent(std::uint64_t fingerprint) WATTMINT_EXCLUDES(mutex_);

  // Reads the keys again, and answers whether they are others than before. After an error they are
  // what they were.
  // Errors: kNotFound if the file cannot be read; kInvalidArgument if there are no usable keys;
  // kPermissionDenied if it is a secret that others may read; those of FetchDocument().
  absl::StatusOr<bool> Reload(const std::function<bool()>& is_cancelled = [] { return false; })
      WATTMINT_EXCLUDES(mutex_);

  // Called by Verify() for a token that names a key that is not there; answers whether the keys are
  // about to be read again. Must not block. REQUIRES: no call of Verify() is under way.
  void OnUnknownKey(std::function<bool()> look) { look_ = std::move(look); }

 private:
  // shared: by the calls that use it while a reload replaces it.
  using SharedKeys = std::shared_ptr<const KeySet>;

  JwtVerifier(JwtOptions options, base::Clock& clock);
  absl::StatusOr<Principal> VerifyUnknown(std::string_view token, const KeySet& keys) const;
  void Remember(const base::Sha256Digest& token_hash, const SharedKeys& keys,
                const Principal& principal) WATTMINT_EXCLUDES(mutex_);

  const JwtOptions options_;
  base::Clock& clock_;
  std::function<bool()> look_ = [] { return false; };
  base::Sha256Digest source_hash_{};  // of what the keys were read from; only Reload()'s
  base::Mutex mutex_;                 // guards the keys and what they have proved
  SharedKeys keys_ WATTMINT_GUARDED_BY(mutex_);
  absl::flat_hash_map<base::Sha256Digest, Principal> verified_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::access
