// SPDX-License-Identifier: Apache-2.0
#include "bridge/client_address.h"

#include "bridge/http_text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>

namespace wattmint::bridge {
namespace {

bool ParseV6(std::string_view text, in6_addr& address) {
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool IsV4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

}  // namespace

bool IsAddress(std::string_view text) {
  in6_addr address{};
  return IsV4(text) || ParseV6(text, address);
}

std::string CountedAddress(std::string_view address) {
  in6_addr bytes{};
  if (!ParseV6(address, bytes)) return std::string(address);
  char text[INET6_ADDRSTRLEN] = {};
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    inet_ntop(AF_INET, &bytes.s6_addr[12], text, sizeof text);
    return text;
  }
  std::fill(bytes.s6_addr + 8, bytes.s6_addr + 16, static_cast<unsigned char>(0));
  inet_ntop(AF_INET6, &bytes, text, sizeof text);
  return std::string(text) + "/64";
}

std::string ForwardedAddress(std::string_view peer, std::string_view forwarded_for,
                             const std::vector<std::string>& trusted_proxies) {
  const auto is_trusted = [&](std::string_view address) {
    return std::find(trusted_proxies.begin(), trusted_proxies.end(), address) !=
           trusted_proxies.end();
  };
  std::vector<std::string_view> hops = SplitTrimmed(forwarded_for, ',');
  while (is_trusted(peer) && !hops.empty() && IsAddress(hops.back())) {
    peer = hops.back();
    hops.pop_back();
  }
  return CountedAddress(peer);
}

}  // namespace wattmint::bridge
