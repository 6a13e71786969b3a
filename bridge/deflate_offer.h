// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include "bridge/websocket_server.h"

#include <optional>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// How far back what the server compresses refers, as a power of 2 of bytes. Clients that keep less
// of what they inflated get nothing compressed.
// Source: chosen; 2 KiB of context (kContextBytesMax) and a message of the same size.
inline constexpr int kDeflateWindowBits = 12;

// What was agreed on with a client that offered permessage-deflate (RFC 7692).
struct DeflateTerms {
  Compression compression = Compression::kNone;
  std::string answer;  // the value of Sec-WebSocket-Extensions
};

// Accepts the first of the `offers`, a value of Sec-WebSocket-Extensions, that can be kept. Nothing
// if there is none, or if the value is malformed: the connection then goes without compression.
//
// Clients have to forget what they sent with each message, so that inflating one needs nothing that
// is kept from the one before.
std::optional<DeflateTerms> AcceptDeflate(std::string_view offers);

}  // namespace wattmint::bridge
