// SPDX-License-Identifier: Apache-2.0
#include "tests/support/websocket_client.h"

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

namespace wattmint::test {
namespace {

constexpr std::string_view kMask = "\x12\x34\x56\x78";

std::string Length(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

}  // namespace

WebSocketClient::WebSocketClient(std::uint16_t port, int receive_buffer_bytes,
                                 const std::string& authorities) {
  auto client = bridge::BridgeClient::Connect("127.0.0.1:" + std::to_string(port),
                                              {.patience = kPatience,
                                               .receive_buffer_bytes = receive_buffer_bytes,
                                               .authorities = authorities});
  const bool may_be_cut = !authorities.empty();  // within the handshake: it is gone then
  EXPECT_TRUE(client.ok() || may_be_cut) << client.status().ToString();
  if (client.ok()) client_.emplace(*std::move(client));
}

void WebSocketClient::Drop() { client_.reset(); }

void WebSocketClient::Reset() {
  if (client_) client_->Reset();
  Drop();
}

HttpAnswer WebSocketClient::Upgrade(std::string_view target, const Headers& headers) {
  // The key of RFC 6455, 1.3, whose answer is known.
  Headers all = {{"Host", "localhost"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  all.insert(all.end(), headers.begin(), headers.end());
  return client_ ? client_->Upgrade(target, all) : HttpAnswer();
}

HttpAnswer WebSocketClient::Request(std::string_view method, std::string_view target,
                                    const Headers& headers, std::string_view body) {
  return client_ ? client_->Request(method, target, headers, body) : HttpAnswer();
}

bool WebSocketClient::SendRaw(std::string_view bytes) { return client_ && client_->SendRaw(bytes); }

bool WebSocketClient::SendFrame(int opcode, std::string_view payload, const FrameShape& shape) {
  const std::uint64_t size = shape.announced_size.value_or(payload.size());
  const int mask_bit = shape.is_masked ? 0x80 : 0;
  std::string frame;
  frame.push_back(
      static_cast<char>((shape.is_final ? 0x80 : 0) | shape.reserved_bits << 4 | opcode));
  if (size < 126) {
    frame.push_back(static_cast<char>(mask_bit | static_cast<int>(size)));
  } else if (size <= 0xffff) {
    frame.push_back(static_cast<char>(mask_bit | 126));
    frame += Length(size, 2);
  } else {
    frame.push_back(static_cast<char>(mask_bit | 127));
    frame += Length(size, 8);
  }
  if (shape.is_masked) frame += kMask;
  return SendRaw(frame + (shape.is_masked ? bridge::Masked(payload, kMask) : std::string(payload)));
}

std::optional<WebSocketFrame> WebSocketClient::ReadFrame(std::chrono::milliseconds patience) {
  if (!client_) return std::nullopt;
  absl::StatusOr<WebSocketFrame> frame = client_->ReadFrame(patience);
  return frame.ok() ? std::optional(*std::move(frame)) : std::nullopt;
}

std::string WebSocketClient::ReadText(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const std::optional<WebSocketFrame> frame = ReadFrame(left);
    if (!frame || frame->opcode == kClose) return "";
    if (frame->opcode == kText) return frame->payload;
  }
}

int WebSocketClient::ReadClose() {
  for (;;) {
    const std::optional<WebSocketFrame> frame = ReadFrame();
    if (!frame) return 1006;
    if (frame->opcode == kClose) return frame->CloseCode();
  }
}

}  // namespace wattmint::test
