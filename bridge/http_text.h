// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include "bridge/websocket_server.h"

#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// The response as it goes over the wire. The connection is closed behind it.
std::string RenderResponse(const HttpResponse& response);

// An error body: {"code":...,"error":...}. REQUIRES: neither text needs escaping in JSON.
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view error);

// As ErrorResponse, for what may be tried again after `seconds`.
HttpResponse RetryResponse(int status, std::string_view code, std::string_view error, int seconds);

// The first of `spoken` that is in the comma-separated `offered`; "" if none is.
std::string PickSubprotocol(std::string_view offered, const std::vector<std::string>& spoken);

// Splits at `separator` and trims blanks; empty parts are left out.
std::vector<std::string_view> SplitTrimmed(std::string_view text, char separator);

}  // namespace wattmint::bridge
