// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <cstddef>
#include <string>

namespace wattmint::bench {

// The key of RFC 6455's example, which all our clients use: its answer is known beforehand.
inline constexpr const char* kHandshakeKey = "dGhlIHNhbXBsZSBub25jZQ==";

// The least that serves browsers: one thread that answers every handshake with the same bytes and
// writes one ready-made frame to each socket, by one send() for each event. It reads nothing but
// the handshake. `port` 0: any. Serves in this process until its input ends.
void ServeBareWebSocket(int port, std::size_t payload_bytes);

// The text of such an event, which begins as those of a bridge do. REQUIRES: 126 to 65,535 bytes.
std::string BareEvent(std::size_t payload_bytes);

// Rules a bare server, or another, from outside, by a connection of its own.
class BareControl {
 public:
  explicit BareControl(int port);
  // Sends so many events to all who are there.
  void SendEvents(int count);

 private:
  const base::UniqueFd socket_;
};

}  // namespace wattmint::bench
