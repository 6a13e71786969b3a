// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// What limits count a client by: its IPv4 address, or the /64 network of its IPv6 address, since
// whoever has one of these has them all. A text that is no address stays as it is.
std::string CountedAddress(std::string_view address);

// Who a proxy speaks for: of "X-Forwarded-For", whose entries each proxy appends to, the last one
// that was not written by, or for, a stranger. `peer`: who is connected.
std::string ForwardedAddress(std::string_view peer, std::string_view forwarded_for,
                             const std::vector<std::string>& trusted_proxies);

// Whether the text is an IPv4 or IPv6 address.
bool IsAddress(std::string_view text);

}  // namespace wattmint::bridge
