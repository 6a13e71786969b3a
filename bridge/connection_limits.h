// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include "core/base/mutex.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <unordered_map>

namespace wattmint::bridge {

// Counts connections, in all and by address. WebSocket connections have the limits that were asked
// for; plain HTTP requests beside them have a fixed allowance, so that a page still loads.
//
// Threads: any.
class ConnectionLimits {
 public:
  static constexpr std::size_t kPlainRequestsMax = 512;
  static constexpr std::size_t kPlainRequestsPerIpMax = 64;  // a browser opens six at a time

  enum class Verdict { kYes, kServerFull, kAddressFull };

  // `connections_max`: of both kinds together, if that is less than what they may have each.
  ConnectionLimits(std::size_t sockets_max, std::size_t sockets_per_ip_max,
                   std::size_t connections_max = std::numeric_limits<std::size_t>::max())
      : sockets_max_(sockets_max),
        sockets_per_ip_max_(sockets_per_ip_max),
        connections_max_(std::min(connections_max, sockets_max + kPlainRequestsMax)) {}

  // A connection was accepted. Counted only on kYes. A proxy's own address has no limit: it speaks
  // for many.
  enum class From { kClient, kProxy };
  Verdict Enter(const std::string& ip, From from = From::kClient) WATTMINT_EXCLUDES(mutex_);
  // As Enter(), in the place of another that was told to end, and is counted until it does: never
  // kServerFull.
  Verdict Replace(const std::string& ip, From from = From::kClient) WATTMINT_EXCLUDES(mutex_);

  // A counted connection that is no WebSocket is known to be of another address.
  void Move(const std::string& from, const std::string& to) WATTMINT_EXCLUDES(mutex_);

  // A counted connection wants to become a WebSocket. Counted as such only on kYes.
  Verdict Upgrade(const std::string& ip) WATTMINT_EXCLUDES(mutex_);

  // A counted connection ended.
  enum class Kind { kPlain, kWebSocket };
  void Leave(const std::string& ip, Kind kind) WATTMINT_EXCLUDES(mutex_);

  std::size_t addresses_count() const WATTMINT_EXCLUDES(mutex_);

 private:
  struct Counts {
    std::size_t connections = 0;
    std::size_t sockets = 0;
  };

  bool IsAddressFull(const std::string& ip, From from) const WATTMINT_REQUIRES(mutex_);
  Verdict Count(const std::string& ip) WATTMINT_REQUIRES(mutex_);

  const std::size_t sockets_max_;
  const std::size_t sockets_per_ip_max_;
  const std::size_t connections_max_;
  mutable base::Mutex mutex_;  // guards all below
  Counts all_ WATTMINT_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Counts> by_ip_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::bridge
