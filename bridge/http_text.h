// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include "bridge/websocket_server.h"

#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// The response as it goes over the wire, but for `lasting_body`. The connection is closed behind
// both.
std::string RenderResponse(const HttpResponse& response);

// An error body: {"code":...,"error":...}. REQUIRES: neither text needs escaping in JSON.
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view error);

// As ErrorResponse, for what may be tried again after `seconds`.
HttpResponse RetryResponse(int status, std::string_view code, std::string_view error, int seconds);

// The error for a request that is not understood at all. `status`: 400, 413, 426 (no WebSocket of
// version 13) or 431; every other one is our fault.
HttpResponse RefusalOf(int status);

// Whether `token` is an element of the comma-separated `list`, without case.
bool HasToken(std::string_view list, std::string_view token);

// Whether it is the base64 of 16 bytes.
bool IsWebSocketKey(std::string_view text);

// The first of the comma-separated `offered` that is in `spoken`; "" if none is.
std::string PickSubprotocol(std::string_view offered, const std::vector<std::string>& spoken);

// Splits at `separator` and trims blanks; empty parts are left out.
std::vector<std::string_view> SplitTrimmed(std::string_view text, char separator);

}  // namespace wattmint::bridge
