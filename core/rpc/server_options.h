// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/door/tls.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace wattmint::rpc {

// Where the core listens, and what it lets a client take.
struct ServerOptions {
  std::string address = "127.0.0.1:50051";   // port 0: any free one
  door::TlsFiles tls;                        // no certificate: no TLS
  std::size_t memory_bytes_max = 256 << 20;  // of everything that gRPC holds for clients
  int request_bytes_max = 8 << 20;
  int calls_per_connection_max = 1'000;
  // At the front door, and never more than half of the process's descriptors allow.
  std::size_t connections_max = 5'000;
  std::size_t connections_per_address_max = 500;
  base::Duration handshake_timeout = std::chrono::seconds(10);  // as our clients wait
  base::Duration idle_connection_max = std::chrono::minutes(10);
  base::Duration ping_every =
      std::chrono::minutes(1);  // finds clients that are gone without a word
  base::Duration pong_within = std::chrono::seconds(20);
  base::Duration ping_interval_min = std::chrono::seconds(10);  // our own clients: every 30 s
  base::Duration drain_timeout = std::chrono::seconds(3);       // for streams to end by themselves
  // A draining server tells its clients to wait so long, spread over as much again.
  base::Duration reconnect_after = std::chrono::milliseconds(500);
};

}  // namespace wattmint::rpc
