// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/servers.h"

#include <cstddef>

namespace wattmint::bench {

// What sockets alone can do: one thread that writes ready-made bytes to every connection, with one
// system call for each message, as fast as they take it.
struct BareTcp {
  int connections = 0;
  int messages = 0;
  int events_per_message = 0;

  static constexpr std::size_t kEventBytes = 240;  // as an event of a core has on the wire
};

// Serves in this process: once all connections are there and the first has sent a byte, it writes
// all messages to each, and waits for its input to end.
void ServeBareTcp(const BareTcp& task);

// Opens the connections, sends that byte, and reads until everything has come, on this thread.
// Returns the seconds between.
double ReceiveBareTcp(const Server& server, const BareTcp& task);

}  // namespace wattmint::bench
