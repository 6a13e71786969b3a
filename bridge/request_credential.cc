// SPDX-License-Identifier: Apache-2.0
#include "bridge/request_credential.h"

#include "bridge/http_text.h"

#include <absl/strings/match.h>

#include <utility>

namespace wattmint::bridge {
namespace {

using client::Credential;

constexpr std::string_view kBearerScheme = "Bearer ";
constexpr std::string_view kBearerSubprotocol = "wattmint.bearer.";

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// An escape that is none stays as it is: whoever reads the text says that it is wrong.
std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size();
    const int high = is_escape ? HexDigit(text[i + 1]) : -1;
    const int low = is_escape ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return decoded;
}

}  // namespace

std::string_view PathOf(std::string_view target) {
  target = target.substr(0, target.find('?'));
  constexpr std::string_view kAfterScheme = "://";
  const std::size_t scheme = target.find(kAfterScheme);
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  target.remove_prefix(scheme + kAfterScheme.size());
  const std::size_t path = target.find('/');
  return path == std::string_view::npos ? "/" : target.substr(path);
}

std::optional<std::string> QueryValue(std::string_view target, std::string_view name) {
  const std::size_t query = target.find('?');
  if (query == std::string_view::npos) return std::nullopt;
  for (const std::string_view part : SplitTrimmed(target.substr(query + 1), '&')) {
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && part.substr(0, equals) == name) {
      return PercentDecode(part.substr(equals + 1));
    }
  }
  return std::nullopt;
}

Credential HeaderCredential(const HttpRequest& request) {
  const std::string_view authorization = request.Header("Authorization");
  if (!authorization.empty()) {
    const std::string_view scheme = authorization.substr(0, kBearerScheme.size());
    const bool is_bearer =
        absl::EqualsIgnoreCase(absl::string_view(scheme.data(), scheme.size()),
                               absl::string_view(kBearerScheme.data(), kBearerScheme.size()));
    if (is_bearer) return Credential::Bearer(std::string(authorization.substr(scheme.size())));
    return Credential::Bearer(std::string(authorization));
  }
  const std::string_view api_key = request.Header("X-Api-Key");
  return api_key.empty() ? Credential{} : Credential::ApiKey(std::string(api_key));
}

Credential UpgradeCredential(const HttpRequest& request, QuerySecrets query_secrets) {
  Credential credential = HeaderCredential(request);
  if (credential.kind != Credential::Kind::kNone) return credential;
  if (std::optional<std::string> ticket = QueryValue(request.target, "ticket")) {
    return Credential::Ticket(*std::move(ticket));
  }
  for (const std::string_view offered :
       SplitTrimmed(request.Header("Sec-WebSocket-Protocol"), ',')) {
    if (offered.starts_with(kBearerSubprotocol)) {
      return Credential::Bearer(std::string(offered.substr(kBearerSubprotocol.size())));
    }
  }
  if (query_secrets == QuerySecrets::kIgnore) return credential;
  if (std::optional<std::string> token = QueryValue(request.target, "token")) {
    return Credential::Bearer(*std::move(token));
  }
  if (std::optional<std::string> api_key = QueryValue(request.target, "api_key")) {
    return Credential::ApiKey(*std::move(api_key));
  }
  return credential;
}

}  // namespace wattmint::bridge
