// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it: a message of a client, until it is text
// for the listener.

#include "bridge/log.h"
#include "bridge/message_inflater.h"
#include "bridge/websocket_socket.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace wattmint::bridge::impl {

inline constexpr int kUnsupportedData = 1003;
inline constexpr int kInvalidPayload = 1007;
inline constexpr int kTooLong = 1009;

inline void OnText(Socket& socket, const std::string& text) {
  // websocketpp does not ask whether the last fragment ends within a character.
  if (!websocketpp::utf8_validator::validate(text)) {
    return socket.Close(kInvalidPayload, "not UTF-8");
  }
  Guarded(socket, [&] { socket.listener->OnText(text); });
}

// Compressed messages are inflated only once they are whole: a client that sends one slowly holds
// no more memory than with any other.
inline void OnMessage(Socket& socket, const Config::message_type& message,
                      MessageInflater& inflater, std::size_t bytes_max) {
  socket.heard = std::chrono::steady_clock::now();
  WebsocketLog()->debug("{} sent {} bytes", socket.peer, message.get_payload().size());
  if (message.get_opcode() != websocketpp::frame::opcode::text) {
    return socket.Close(kUnsupportedData, "text frames only");
  }
  if (!message.get_compressed()) return OnText(socket, message.get_payload());
  std::string text;
  switch (inflater.Inflate(message.get_payload(), bytes_max, text)) {
    case MessageInflater::Verdict::kWhole:
      return OnText(socket, text);
    case MessageInflater::Verdict::kTooLong:
      return socket.Close(kTooLong, "too long when inflated");
    case MessageInflater::Verdict::kBroken:
      return socket.Close(kInvalidPayload, "does not inflate");
  }
}

}  // namespace wattmint::bridge::impl
