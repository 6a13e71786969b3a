// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/websocket_server.h"
#include "core/client/credential.h"

#include <optional>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// Whether ?token= and ?api_key= are looked at: an address ends up in logs and histories.
enum class QuerySecrets { kIgnore, kAccept };

// The path of a request's target, which may be absolute, without the query.
std::string_view PathOf(std::string_view target);

// The decoded value of a query parameter; nothing if it is absent, or not well-formed.
std::optional<std::string> QueryValue(std::string_view target, std::string_view name);

// What a request brings along in its headers: Authorization, then X-Api-Key. Kind kNone if there is
// neither; an Authorization that is not understood is a bearer with its whole text, which nobody
// accepts.
client::Credential HeaderCredential(const HttpRequest& request);

// As HeaderCredential, then ?ticket=, the bearer subprotocol, and the query if that is accepted.
client::Credential UpgradeCredential(const HttpRequest& request, QuerySecrets query_secrets);

}  // namespace wattmint::bridge
