// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/loopback.h"

#include "core/base/assert.h"

#include <fmt/core.h>

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace wattmint::bench {
namespace {

using base::UniqueFd;

constexpr int kBacklog = 16'384;

UniqueFd NewSocket(int flags) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  WATTMINT_ASSERT(fd.IsOpen(), "a socket: error {}", errno);
  return fd;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int Connect(const UniqueFd& fd, int port) {
  const sockaddr_in address = Loopback(port);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

UniqueFd ListenOnLoopback(int port) {
  UniqueFd fd = NewSocket(0);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  const int refused = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  WATTMINT_ASSERT(refused == 0 && listen(fd.get(), kBacklog) == 0, "port {}: error {}", port,
                  errno);
  return fd;
}

int PortOf(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

UniqueFd ConnectToLoopback(int port) {
  UniqueFd fd = NewSocket(0);
  WATTMINT_ASSERT(Connect(fd, port) == 0, "connecting to port {}: error {}", port, errno);
  return fd;
}

UniqueFd BeginToConnect(int port) {
  UniqueFd fd = NewSocket(SOCK_NONBLOCK);
  const int done = Connect(fd, port);
  WATTMINT_ASSERT(done == 0 || errno == EINPROGRESS, "connecting to port {}: error {}", port,
                  errno);
  return fd;
}

void SetNoDelay(const UniqueFd& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace wattmint::bench
