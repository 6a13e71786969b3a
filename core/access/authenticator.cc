// SPDX-License-Identifier: Apache-2.0
#include "core/access/authenticator.h"

#include "core/access/api_key.h"
#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <optional>

namespace wattmint::access {
namespace {

absl::Status MissingCredentials() {
  return WithReason(base::Unauthenticated("credentials are missing: send \"authorization: Bearer "
                                          "<token or API key>\" or \"x-api-key: <API key>\""),
                    reason::kMissingCredentials);
}

absl::Status InvalidTicket() {
  return WithReason(base::Unauthenticated("a ticket is not accepted here"), reason::kInvalidTicket);
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The credential behind a scheme, whose case does not matter (RFC 9110 section 11.1); nothing if it
// is another scheme.
std::optional<std::string_view> BehindScheme(std::string_view authorization,
                                             std::string_view scheme) {
  const std::string_view start = authorization.substr(0, scheme.size());
  if (!std::ranges::equal(start, scheme, {}, ToLower)) return std::nullopt;
  authorization.remove_prefix(start.size());
  const std::size_t credential = authorization.find_first_not_of(' ');
  if (credential == 0 || credential == std::string_view::npos) return std::nullopt;
  return authorization.substr(credential);
}

}  // namespace

Authenticator::Authenticator(JwtVerifier* jwt, ApiKeyTable& api_keys, TicketTable& tickets,
                             base::Clock& clock, Anonymity anonymity)
    : jwt_(jwt), api_keys_(api_keys), tickets_(tickets), clock_(clock), anonymity_(anonymity) {}

absl::StatusOr<Principal> Authenticator::Authenticate(const Credentials& credentials,
                                                      TicketUse ticket_use) {
  if (const auto bearer = BehindScheme(credentials.authorization, "bearer")) {
    return AuthenticateBearer(*bearer);
  }
  if (const auto ticket = BehindScheme(credentials.authorization, "ticket")) {
    return ticket_use == TicketUse::kRedeem ? RedeemTicket(*ticket) : InvalidTicket();
  }
  if (!credentials.authorization.empty()) return MissingCredentials();
  if (!credentials.api_key.empty()) return api_keys_.Authenticate(credentials.api_key);
  if (anonymity_ == Anonymity::kRefused) return MissingCredentials();
  Principal viewer;
  viewer.roles = {Role::kViewer};
  return viewer;
}

absl::StatusOr<Principal> Authenticator::AuthenticateBearer(std::string_view credential) {
  if (LooksLikeApiKey(credential)) return api_keys_.Authenticate(credential);
  return jwt_ == nullptr ? InvalidToken() : jwt_->Verify(credential);
}

absl::StatusOr<Principal> Authenticator::RedeemTicket(std::string_view ticket) {
  WATTMINT_ASSIGN_OR_RETURN(Principal principal, tickets_.Redeem(ticket));
  WATTMINT_RETURN_IF_ERROR(CheckCurrent(principal));
  return principal;
}

absl::Status Authenticator::CheckCurrent(const Principal& principal) {
  if (principal.credential == CredentialKind::kApiKey) {
    return api_keys_.CheckCurrent(principal.key_id);
  }
  if (principal.expires_at.has_value() && clock_.Now() >= *principal.expires_at) {
    return ExpiredToken();
  }
  const bool has_key = principal.credential != CredentialKind::kJwt ||
                       (jwt_ != nullptr && jwt_->IsKeyCurrent(principal.token_key));
  return has_key ? absl::OkStatus() : InvalidToken();
}

}  // namespace wattmint::access
