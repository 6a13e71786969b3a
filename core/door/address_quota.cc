// SPDX-License-Identifier: Apache-2.0
#include "core/door/address_quota.h"

#include "core/base/assert.h"

#include <algorithm>
#include <netinet/in.h>

namespace wattmint::door {
namespace {

constexpr std::size_t kNetworkBytes = 8;   // a /64
constexpr std::size_t kMappedPrefix = 12;  // ::ffff:0:0/96

}  // namespace

std::string AddressQuota::KeyOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const in_addr& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const std::string bytes(reinterpret_cast<const char*>(&v6), sizeof v6);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? bytes.substr(kMappedPrefix) : bytes.substr(0, kNetworkBytes);
}

bool AddressQuota::Take(const std::string& key) {
  const auto [entry, is_new] = counts_.try_emplace(key, 0);
  if (entry->second >= each_max_) {
    if (is_new) counts_.erase(entry);
    return false;
  }
  ++entry->second;
  return true;
}

void AddressQuota::Return(const std::string& key) {
  const auto entry = counts_.find(key);
  WATTMINT_ASSERT(entry != counts_.end(), "an address that has nothing");
  if (--entry->second == 0) counts_.erase(entry);
}

std::size_t AddressQuota::CountOf(const std::string& key) const {
  const auto entry = counts_.find(key);
  return entry == counts_.end() ? 0 : entry->second;
}

std::optional<std::string> AddressQuota::FindGreedier(const std::string& key) const {
  const auto most = std::max_element(counts_.begin(), counts_.end(), [](auto& one, auto& other) {
    return one.second < other.second;
  });
  if (most == counts_.end() || most->second <= CountOf(key) + 1) return std::nullopt;
  return most->first;
}

}  // namespace wattmint::door
