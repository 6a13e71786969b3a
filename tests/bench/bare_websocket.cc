// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_websocket.h"

#include "cli/child_program.h"
#include "core/base/assert.h"
#include "tests/bench/loopback.h"

#include <fmt/core.h>

#include <array>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace wattmint::bench {
namespace {

using base::UniqueFd;

constexpr std::string_view kHandshakeAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
// Who begins so rules the server: each byte that follows is one event.
constexpr std::string_view kControl = "control\n";
constexpr int kReadyMax = 256;

std::string EventFrame(std::size_t payload_bytes) {
  std::string frame = "\x81\x7e";
  frame += static_cast<char>(payload_bytes >> 8);
  frame += static_cast<char>(payload_bytes & 0xff);
  return frame + BareEvent(payload_bytes);
}

class BareWebSocket {
 public:
  BareWebSocket(int port, std::size_t payload_bytes)
      : frame_(EventFrame(payload_bytes)), listener_(ListenOnLoopback(port)) {
    Watch(listener_.get());
    Watch(STDIN_FILENO);
  }

  int port() const { return PortOf(listener_); }

  void Run() {
    std::array<epoll_event, kReadyMax> ready;
    for (;;) {
      const int count = epoll_wait(poll_.get(), ready.data(), kReadyMax, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = ready[static_cast<std::size_t>(i)].data.fd;
        if (fd == STDIN_FILENO) return;
        fd == listener_.get() ? Accept() : Read(fd);
      }
    }
  }

 private:
  void Watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void Accept() {
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.IsOpen()) return;
    SetNoDelay(socket);
    Watch(socket.get());
    const int fd = socket.get();
    strangers_.emplace(fd, std::move(socket));
  }

  void Read(int fd) {
    std::array<char, 4'096> bytes;
    const ssize_t count = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    const std::string_view text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (fd == control_) return SendToAll(text.size());
    const auto stranger = strangers_.extract(fd);
    if (stranger.empty() || text.empty()) return;
    if (text.starts_with(kControl)) {
      control_ = fd;
      controls_.push_back(std::move(stranger.mapped()));
      return SendToAll(text.size() - kControl.size());
    }
    epoll_ctl(poll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    send(fd, kHandshakeAnswer.data(), kHandshakeAnswer.size(), MSG_NOSIGNAL);
    sockets_.push_back(std::move(stranger.mapped()));
  }

  void SendToAll(std::size_t events) {
    for (; events > 0; --events) {
      for (const UniqueFd& socket : sockets_) {
        send(socket.get(), frame_.data(), frame_.size(), MSG_NOSIGNAL);
      }
    }
  }

  const std::string frame_;
  const UniqueFd listener_;
  const UniqueFd poll_{epoll_create1(EPOLL_CLOEXEC)};
  std::unordered_map<int, UniqueFd> strangers_;  // before the handshake
  std::vector<UniqueFd> sockets_;
  std::vector<UniqueFd> controls_;
  int control_ = -1;
};

}  // namespace

std::string BareEvent(std::size_t payload_bytes) {
  WATTMINT_ASSERT(payload_bytes >= 126 && payload_bytes < 65'536, "{} bytes", payload_bytes);
  std::string payload = R"({"type":"BareEvent","seq":0,"data":")";
  payload.append(payload_bytes - payload.size() - 2, 'e');
  return payload + "\"}";
}

void ServeBareWebSocket(int port, std::size_t payload_bytes) {
  BareWebSocket server(port, payload_bytes);
  cli::SayReady(std::to_string(server.port()));
  server.Run();
}

BareControl::BareControl(int port) : socket_(ConnectToLoopback(port)) {
  send(socket_.get(), kControl.data(), kControl.size(), MSG_NOSIGNAL);
}

void BareControl::SendEvents(int count) {
  const std::string bytes(static_cast<std::size_t>(count), 'e');
  send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace wattmint::bench
