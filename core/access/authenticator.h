// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key_table.h"
#include "core/access/jwt_verifier.h"
#include "core/access/principal.h"
#include "core/access/ticket_table.h"
#include "core/base/clock.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string_view>

namespace wattmint::access {

// What a call brings along; empty if it does not.
struct Credentials {
  std::string_view authorization = {};  // "Bearer <JWT or API key>" or "Ticket <ticket>"
  std::string_view api_key = {};        // value of x-api-key; not looked at beside an authorization
};

// Whether a call may be authenticated by a ticket, which that uses up.
enum class TicketUse { kRefuse, kRedeem };

// Who comes without any credential: nobody, or a viewer without a name.
enum class Anonymity { kRefused, kViewer };

// Tells who is calling.
//
// Threads: any. Lifetime: everything passed to the constructor must outlive it.
// Errors: kUnauthenticated with a reason of reason.h; those of ApiKeyTable for a rate, and of
// JwtVerifier for keys that are not there yet. Messages never repeat any part of a credential.
class Authenticator {
 public:
  // `jwt` is nullptr where no keys for tokens are configured: tokens are refused then.
  Authenticator(JwtVerifier* jwt, ApiKeyTable& api_keys, TicketTable& tickets, base::Clock& clock,
                Anonymity anonymity);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  absl::StatusOr<Principal> Authenticate(const Credentials& credentials, TicketUse ticket_use);

  // Whether a principal is still what it was authenticated as: asked on streams, when its time is
  // up or a key has changed. Errors: EXPIRED_TOKEN, EXPIRED_API_KEY, REVOKED_API_KEY,
  // INVALID_API_KEY; INVALID_TOKEN for a token whose key was taken away.
  absl::Status CheckCurrent(const Principal& principal);

 private:
  absl::StatusOr<Principal> AuthenticateBearer(std::string_view credential);
  absl::StatusOr<Principal> RedeemTicket(std::string_view ticket);

  JwtVerifier* const jwt_;
  ApiKeyTable& api_keys_;
  TicketTable& tickets_;
  base::Clock& clock_;
  const Anonymity anonymity_;
};

}  // namespace wattmint::access
