// SPDX-License-Identifier: Apache-2.0
#include "bridge/connection_limits.h"

#include <cassert>

namespace wattmint::bridge {

ConnectionLimits::Verdict ConnectionLimits::Enter(const std::string& ip, From from) {
  base::MutexLock lock(mutex_);
  // Whose address is full shall not cost another its place.
  if (IsAddressFull(ip, from)) return Verdict::kAddressFull;
  return all_.connections >= connections_max_ ? Verdict::kServerFull : Count(ip);
}

ConnectionLimits::Verdict ConnectionLimits::Replace(const std::string& ip, From from) {
  base::MutexLock lock(mutex_);
  return IsAddressFull(ip, from) ? Verdict::kAddressFull : Count(ip);
}

bool ConnectionLimits::IsAddressFull(const std::string& ip, From from) const {
  const auto found = by_ip_.find(ip);
  const std::size_t count = found == by_ip_.end() ? 0 : found->second.connections;
  return from == From::kClient && count >= sockets_per_ip_max_ + kPlainRequestsPerIpMax;
}

ConnectionLimits::Verdict ConnectionLimits::Count(const std::string& ip) {
  ++all_.connections;
  ++by_ip_[ip].connections;
  return Verdict::kYes;
}

void ConnectionLimits::Move(const std::string& from, const std::string& to) {
  base::MutexLock lock(mutex_);
  ++by_ip_[to].connections;
  const auto there = by_ip_.find(from);
  assert(there != by_ip_.end() && there->second.connections > 0);
  if (--there->second.connections == 0) by_ip_.erase(there);
}

ConnectionLimits::Verdict ConnectionLimits::Upgrade(const std::string& ip) {
  base::MutexLock lock(mutex_);
  Counts& here = by_ip_.at(ip);
  if (all_.sockets >= sockets_max_) return Verdict::kServerFull;
  if (here.sockets >= sockets_per_ip_max_) return Verdict::kAddressFull;
  ++all_.sockets;
  ++here.sockets;
  return Verdict::kYes;
}

void ConnectionLimits::Leave(const std::string& ip, Kind kind) {
  base::MutexLock lock(mutex_);
  const auto here = by_ip_.find(ip);
  assert(here != by_ip_.end() && here->second.connections > 0);
  const std::size_t sockets = kind == Kind::kWebSocket ? 1 : 0;
  all_.sockets -= sockets;
  here->second.sockets -= sockets;
  --all_.connections;
  if (--here->second.connections == 0) by_ip_.erase(here);
}

std::size_t ConnectionLimits::addresses_count() const {
  base::MutexLock lock(mutex_);
  return by_ip_.size();
}

}  // namespace wattmint::bridge
