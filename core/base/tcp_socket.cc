// SPDX-License-Identifier: Apache-2.0
#include "core/base/tcp_socket.h"

#include "core/base/status.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>

namespace wattmint::base {
namespace {

const sockaddr* Generic(const TcpAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.bytes);
}

in_port_t& PortIn(sockaddr_storage& bytes) {
  // The port lies at the same place for both families.
  return reinterpret_cast<sockaddr_in&>(bytes).sin_port;
}

}  // namespace

bool TcpAddress::IsLoopback() const {
  constexpr int kLoopbackNet = 127;
  if (bytes.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(bytes);
    return ntohl(v4.sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(bytes).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == kLoopbackNet);
}

int TcpAddress::port() const {
  sockaddr_storage copy = bytes;
  return ntohs(PortIn(copy));
}

void TcpAddress::set_port(int port) { PortIn(bytes) = htons(static_cast<in_port_t>(port)); }

absl::StatusOr<std::vector<TcpAddress>> Resolve(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return InvalidArgument("{} is no HOST:PORT", address);
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) {
    return Unavailable("there is no such address: {}", address);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<TcpAddress> addresses;
  for (; found != nullptr; found = found->ai_next) {
    TcpAddress& one = addresses.emplace_back();
    std::memcpy(&one.bytes, found->ai_addr, found->ai_addrlen);
    one.size = found->ai_addrlen;
  }
  return addresses;
}

absl::StatusOr<UniqueFd> ListenTcp(const TcpAddress& address) {
  UniqueFd fd(
      socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  constexpr int kOn = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (fd.IsOpen() && bind(fd.get(), Generic(address), address.size) == 0 &&
      listen(fd.get(), SOMAXCONN) == 0) {
    return fd;
  }
  return Unavailable("{}", std::strerror(errno));
}

TcpAddress LocalAddress(const UniqueFd& socket) {
  TcpAddress address;
  address.size = sizeof address.bytes;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.bytes), &address.size);
  return address;
}

}  // namespace wattmint::base
