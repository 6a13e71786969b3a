// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include <cstddef>
#include <string>
#include <unordered_map>

namespace wattmint::bridge {

// Counts connections, in all and by address. WebSocket connections have the limits that were asked
// for; plain HTTP requests beside them have a fixed allowance, so that a page still loads.
//
// Threads: the caller's.
class ConnectionLimits {
 public:
  static constexpr std::size_t kPlainRequestsMax = 512;
  static constexpr std::size_t kPlainRequestsPerIpMax = 64;  // a browser opens six at a time

  enum class Verdict { kYes, kServerFull, kAddressFull };

  ConnectionLimits(std::size_t sockets_max, std::size_t sockets_per_ip_max)
      : sockets_max_(sockets_max), sockets_per_ip_max_(sockets_per_ip_max) {}

  // A connection was accepted. False: there are too many, it was not counted.
  bool Enter(const std::string& ip);

  // A counted connection wants to become a WebSocket. Counted as such only on kYes.
  Verdict Upgrade(const std::string& ip);

  // A counted connection ended.
  enum class Kind { kPlain, kWebSocket };
  void Leave(const std::string& ip, Kind kind);

  std::size_t addresses_count() const { return by_ip_.size(); }

 private:
  struct Counts {
    std::size_t connections = 0;
    std::size_t sockets = 0;
  };

  const std::size_t sockets_max_;
  const std::size_t sockets_per_ip_max_;
  Counts all_;
  std::unordered_map<std::string, Counts> by_ip_;
};

}  // namespace wattmint::bridge
