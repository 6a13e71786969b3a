// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/bridge_client.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::test {

using bridge::HttpAnswer;
using bridge::WebSocketFrame;

// How a frame is built; every rule can be broken.
struct FrameShape {
  bool is_final = true;
  bool is_masked = true;
  int reserved_bits = 0;
  std::optional<std::uint64_t> announced_size = {};  // instead of the payload's
};

// A client of a server on 127.0.0.1 that can break every rule. Every wait ends after `kPatience`.
// Threads: one.
class WebSocketClient {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr int kText = WebSocketFrame::kText;
  static constexpr int kBinary = WebSocketFrame::kBinary;
  static constexpr int kClose = WebSocketFrame::kClose;
  static constexpr int kPing = WebSocketFrame::kPing;
  static constexpr int kPong = WebSocketFrame::kPong;
  using Headers = bridge::BridgeClient::Headers;

  // `receive_buffer_bytes` 0: the system's choice; a small one makes a slow reader. `authorities`:
  // as those of BridgeClient.
  explicit WebSocketClient(std::uint16_t port, int receive_buffer_bytes = 0,
                           const std::string& authorities = "");

  // Asks for the upgrade. `headers` replace those of a proper handshake, "" removes one.
  HttpAnswer Upgrade(std::string_view target = "/ws", const Headers& headers = {});
  // One plain HTTP request, whose answer ends with the connection.
  HttpAnswer Request(std::string_view method, std::string_view target, const Headers& headers = {},
                     std::string_view body = {});

  // False if the connection is gone.
  bool SendRaw(std::string_view bytes);
  bool SendFrame(int opcode, std::string_view payload, const FrameShape& shape = {});
  bool SendText(std::string_view text) { return SendFrame(kText, text); }

  // The next frame; nothing at the end of the connection, or of the patience.
  std::optional<WebSocketFrame> ReadFrame(std::chrono::milliseconds patience = kPatience);
  // The next text frame, pings left out; "" if there is none.
  std::string ReadText(std::chrono::milliseconds patience = kPatience);
  // Reads on to the close frame; 1006 if the connection ends without one.
  int ReadClose();

  // Closes without a word; with `reset`, by RST.
  void Drop();
  void Reset();

 private:
  std::optional<bridge::BridgeClient> client_;  // nothing once the connection is gone
};

}  // namespace wattmint::test
