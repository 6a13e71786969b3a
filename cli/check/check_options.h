// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace wattmint::check {

// What a check does. The defaults take about half a minute, most of it waiting for heartbeats.
struct CheckOptions {
  int subscribers = 8;         // by gRPC
  int websockets = 4;          // by WebSocket
  std::string bridge;          // HOST:PORT; needed for `websockets`
  std::string bridge_ca = "";  // PEM; empty: no TLS
  int users = 3;               // that own events
  std::int64_t readings = 2'000;
  int rate = 500;            // readings a second at most; 0: as fast as it goes
  int cuts = 3;              // of each subscriber
  std::uint64_t seed = 0;    // of the moments at which subscribers are cut
  bool keeps_going = false;  // after a violation
  bool mints = false;        // readings are minted, if the core does so
  // So long server and subscribers may be away, or behind.
  base::Duration patience = std::chrono::seconds(60);
};

}  // namespace wattmint::check
