// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/role.h"
#include "core/base/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::access {

// How a principal proved who it is. A ticket hands on what its maker had.
enum class CredentialKind { kNone, kJwt, kApiKey };

// Who is calling. A value.
struct Principal {
  std::string user_id;  // empty: nobody in particular
  RoleSet roles;
  std::vector<std::string> wallets;  // as the credential names them; may be empty
  CredentialKind credential = CredentialKind::kNone;
  std::string key_id;                    // of an API key; empty otherwise
  std::uint64_t token_key = 0;           // of a token: fingerprint of the key that signed it
  std::optional<base::Time> expires_at;  // the first moment at which it is refused; absent: never

  friend bool operator==(const Principal&, const Principal&) = default;
};

// `user_id` in role user, by the credential of `principal` and no longer than that lasts.
// The caller has checked that `principal` may do so.
inline Principal OnBehalfOf(const Principal& principal, std::string_view user_id) {
  Principal user;
  user.user_id = user_id;
  user.roles = {Role::kUser};
  user.credential = principal.credential;
  user.key_id = principal.key_id;
  user.token_key = principal.token_key;
  user.expires_at = principal.expires_at;
  return user;
}

}  // namespace wattmint::access
