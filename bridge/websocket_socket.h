// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it.

#include "bridge/log.h"
#include "bridge/websocket_config.h"

#include <chrono>
#include <exception>
#include <memory>
#include <netinet/tcp.h>
#include <string>

namespace wattmint::bridge::impl {

using Endpoint = websocketpp::server<Config>;
using ConnectionPtr = Endpoint::connection_ptr;
using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr int kInternalError = 1011;
// A stalled client holds 151 KiB of the kernel with this limit, 4 MiB without.
inline constexpr int kUnsentBytesMax = 32 * 1024;
inline constexpr int kUserTimeoutMs = 30'000;

// One accepted connection, from accept until websocketpp has let go of it.
class Socket final : public WebSocketConnection {
 public:
  enum class Stage { kRequest, kUpgrading, kOpen, kClosed };

  Socket(ConnectionPtr accepted, std::string remote_address, SteadyTime now)
      : connection(std::move(accepted)),
        peer(std::move(remote_address)),
        ip(CountedAddress(peer)),
        heard(now),
        pinged(now) {}

  std::size_t Send(const SharedFrame& frame) override {
    return stage == Stage::kOpen ? connection->Write(frame) : 0;
  }

  std::size_t SendAll(const std::vector<SharedFrame>& frames) override {
    return stage == Stage::kOpen ? connection->WriteAll(frames) : 0;
  }

  void Prefetch() override { connection->Prefetch(); }

  Compression compression() const override { return agreed_compression; }

  std::size_t PendingBytes() const override { return connection->PendingBytes(); }

  void Close(int code, std::string_view reason) override {
    websocketpp::lib::error_code error;  // says only that it is closing already
    connection->close(static_cast<websocketpp::close::status::value>(code), std::string(reason),
                      error);
  }

  void Cut() { connection->terminate(make_error_code(websocketpp::error::general)); }

  // Both stand at the beginning, for those who fetch a Socket ahead.
  const ConnectionPtr connection;  // shared: the event loop holds it during an operation
  Stage stage = Stage::kRequest;
  const std::string peer;  // who is connected
  std::string ip;          // that it is counted by
  SteadyTime heard;        // the last sign of life
  SteadyTime pinged;
  bool answered = false;    // by an HTTP response
  std::string subprotocol;  // "" if none was offered
  Compression agreed_compression = Compression::kNone;
  std::unique_ptr<WebSocketListener> listener;
};

// Calls `work`. An exception of it is logged, and closes the connection.
template <typename Work>
void Guarded(Socket& socket, Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    WebsocketLog()->error("a connection handler failed: {}", error.what());
    socket.Close(kInternalError, "internal error");
  }
}

// Whether websocketpp has answered by itself, which it does to what is no proper request.
inline bool IsRefusedByLibrary(const Socket& socket) {
  return socket.stage == Socket::Stage::kRequest && !socket.answered &&
         socket.connection->get_response_code() >= websocketpp::http::status_code::bad_request;
}

inline HttpRequest ToRequest(const Socket& socket) {
  const auto& from = socket.connection->get_request();
  HttpRequest request;
  request.method = from.get_method();
  request.target = from.get_uri();
  request.headers.assign(from.get_headers().begin(), from.get_headers().end());
  request.body = from.get_body();
  request.remote_ip = socket.ip;
  request.subprotocol = socket.subprotocol;
  return request;
}

// Nobody asks for them once the handshake is through.
inline void ForgetHeaders(const Socket& socket) {
  const_cast<Request&>(socket.connection->get_request()).ForgetHeaders();  // is its own, not const
}

// IPv4 has one spelling, whatever the socket is of.
inline std::string TextOf(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address.to_string();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
}

inline void SetOptions(asio::ip::tcp::socket& socket) {
  const auto set = [fd = socket.native_handle()](int option, int value) {
    ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_NODELAY, 1);
  set(TCP_NOTSENT_LOWAT, kUnsentBytesMax);
  set(TCP_USER_TIMEOUT, kUserTimeoutMs);
}

}  // namespace wattmint::bridge::impl
