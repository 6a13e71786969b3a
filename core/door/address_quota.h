// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace wattmint::door {

// Counts what each address of the network has. An IPv6 address stands for its /64, which is what
// one subscriber is given; one of IPv4 that comes as IPv6 is the one of IPv4.
// Thread-compatible.
class AddressQuota {
 public:
  explicit AddressQuota(std::size_t each_max) : each_max_(each_max) {}

  // What an address is counted by: its bytes. REQUIRES: IPv4 or IPv6.
  static std::string KeyOf(const sockaddr_storage& address);

  // One more; false if there may not be.
  bool Take(const std::string& key);
  // One less. REQUIRES: it was taken.
  void Return(const std::string& key);
  std::size_t CountOf(const std::string& key) const;
  // Who has most, if that is more than `key` would have with one more; nothing if nobody has.
  std::optional<std::string> FindGreedier(const std::string& key) const;

 private:
  const std::size_t each_max_;
  absl::flat_hash_map<std::string, std::size_t> counts_;  // above 0
};

}  // namespace wattmint::door
