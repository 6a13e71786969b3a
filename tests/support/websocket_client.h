// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmint::test {

struct HttpAnswer {
  int status = 0;  // 0: the connection ended without an answer
  std::string head;
  std::string body;

  // The header's value, "" if it is absent. REQUIRES: `name` in the server's spelling.
  std::string Header(std::string_view name) const;
};

struct WebSocketFrame {
  int opcode = 0;
  std::string payload;
  // Of a close frame; 1005 if it has none.
  int CloseCode() const;
};

// How a frame is built; every rule can be broken.
struct FrameShape {
  bool is_final = true;
  bool is_masked = true;
  int reserved_bits = 0;
  std::optional<std::uint64_t> announced_size = {};  // instead of the payload's
};

// A WebSocket client on a bare socket of 127.0.0.1. Every wait ends after `kPatience`.
// Threads: one.
class WebSocketClient {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr int kText = 1;
  static constexpr int kBinary = 2;
  static constexpr int kClose = 8;
  static constexpr int kPing = 9;
  static constexpr int kPong = 10;
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // `receive_buffer_bytes` 0: the system's choice; a small one makes a slow reader.
  explicit WebSocketClient(std::uint16_t port, int receive_buffer_bytes = 0);
  ~WebSocketClient();
  WebSocketClient(WebSocketClient&& other) noexcept;
  WebSocketClient& operator=(WebSocketClient&&) = delete;

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
  HttpAnswer ReadAnswer(bool is_upgrade);
  // Reads more bytes into buffer_; false at the end.
  bool ReadMore(std::chrono::steady_clock::time_point deadline);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace wattmint::test
