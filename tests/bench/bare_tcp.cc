// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_tcp.h"

#include "core/base/assert.h"
#include "core/base/unique_fd.h"
#include "tests/bench/loopback.h"

#include <chrono>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

namespace wattmint::bench {
namespace {

using base::UniqueFd;

constexpr int kReadyMax = 256;
constexpr std::size_t kReadBytes = 1 << 20;

struct Connection {
  UniqueFd socket;
  std::size_t bytes = 0;  // sent or received so far
  bool is_done = false;
};

// Calls `progress(connection)` whenever one is ready, until it has said of each that it is done.
template <typename Progress>
void Drive(std::vector<Connection>& connections, std::uint32_t readiness, Progress progress) {
  const UniqueFd poll(epoll_create1(EPOLL_CLOEXEC));
  for (Connection& connection : connections) {
    epoll_event event{.events = readiness | EPOLLET, .data = {.ptr = &connection}};
    epoll_ctl(poll.get(), EPOLL_CTL_ADD, connection.socket.get(), &event);
  }
  epoll_event ready[kReadyMax];
  for (std::size_t left = connections.size(); left > 0;) {
    const int count = epoll_wait(poll.get(), ready, kReadyMax, -1);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(ready[i].data.ptr);
      if (connection.is_done || !progress(connection)) continue;
      connection.is_done = true;
      --left;
    }
  }
}

}  // namespace

void ServeBareTcp(const BareTcp& task) {
  const UniqueFd listener = ListenOnLoopback(0);
  cli::SayReady(std::to_string(PortOf(listener)));

  std::vector<Connection> connections(static_cast<std::size_t>(task.connections));
  for (Connection& connection : connections) {
    connection.socket = UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    SetNoDelay(connection.socket);
  }
  char go = 0;
  recv(connections.front().socket.get(), &go, 1, 0);
  const std::string message(
      static_cast<std::size_t>(task.events_per_message) * BareTcp::kEventBytes, 'e');
  const std::size_t total = message.size() * static_cast<std::size_t>(task.messages);
  Drive(connections, EPOLLOUT, [&](Connection& to) {
    while (to.bytes < total) {
      const std::size_t offset = to.bytes % message.size();
      const ssize_t sent = send(to.socket.get(), message.data() + offset, message.size() - offset,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return false;
      to.bytes += static_cast<std::size_t>(sent);
    }
    return true;
  });
  cli::WaitUntilInputEnds();
}

double ReceiveBareTcp(const Server& server, const BareTcp& task) {
  std::vector<Connection> connections(static_cast<std::size_t>(task.connections));
  for (Connection& connection : connections) {
    connection.socket = ConnectToLoopback(server.port());
  }
  const std::size_t total = static_cast<std::size_t>(task.messages) *
                            static_cast<std::size_t>(task.events_per_message) *
                            BareTcp::kEventBytes;
  std::vector<char> buffer(kReadBytes);
  const auto start = std::chrono::steady_clock::now();
  WATTMINT_ASSERT(send(connections.front().socket.get(), "g", 1, MSG_NOSIGNAL) == 1, "the start");
  Drive(connections, EPOLLIN, [&](Connection& from) {
    for (;;) {
      const ssize_t got = recv(from.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) return false;
      from.bytes += static_cast<std::size_t>(got);
      if (from.bytes == total) return true;
    }
  });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace wattmint::bench
