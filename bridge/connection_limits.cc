// SPDX-License-Identifier: Apache-2.0
#include "bridge/connection_limits.h"

#include <cassert>

namespace wattmint::bridge {

bool ConnectionLimits::Enter(const std::string& ip) {
  if (all_.connections >= sockets_max_ + kPlainRequestsMax) return false;
  Counts& here = by_ip_[ip];
  if (here.connections >= sockets_per_ip_max_ + kPlainRequestsPerIpMax) return false;
  ++all_.connections;
  ++here.connections;
  return true;
}

ConnectionLimits::Verdict ConnectionLimits::Upgrade(const std::string& ip) {
  Counts& here = by_ip_.at(ip);
  if (all_.sockets >= sockets_max_) return Verdict::kServerFull;
  if (here.sockets >= sockets_per_ip_max_) return Verdict::kAddressFull;
  ++all_.sockets;
  ++here.sockets;
  return Verdict::kYes;
}

void ConnectionLimits::Leave(const std::string& ip, Kind kind) {
  const auto here = by_ip_.find(ip);
  assert(here != by_ip_.end() && here->second.connections > 0);
  const std::size_t sockets = kind == Kind::kWebSocket ? 1 : 0;
  all_.sockets -= sockets;
  here->second.sockets -= sockets;
  --all_.connections;
  if (--here->second.connections == 0) by_ip_.erase(here);
}

}  // namespace wattmint::bridge
