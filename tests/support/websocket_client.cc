// SPDX-License-Identifier: Apache-2.0
#include "tests/support/websocket_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wattmint::test {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::string_view kMask = "\x12\x34\x56\x78";

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string Length(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

}  // namespace

std::string HttpAnswer::Header(std::string_view name) const {
  const std::string key = "\r\n" + std::string(name) + ": ";
  const std::size_t found = head.find(key);
  if (found == std::string::npos) return "";
  const std::size_t begin = found + key.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

int WebSocketFrame::CloseCode() const {
  return payload.size() < 2 ? 1005 : static_cast<int>(BigEndian(payload.substr(0, 2)));
}

WebSocketClient::WebSocketClient(std::uint16_t port, int receive_buffer_bytes)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  EXPECT_EQ(connected, 0) << "connect: errno " << errno;
}

WebSocketClient::~WebSocketClient() { Drop(); }

WebSocketClient::WebSocketClient(WebSocketClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

void WebSocketClient::Drop() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void WebSocketClient::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Drop();
}

HttpAnswer WebSocketClient::Upgrade(std::string_view target, const Headers& headers) {
  Headers all = {{"Host", "localhost"},
                 {"Upgrade", "websocket"},
                 {"Connection", "Upgrade"},
                 {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                 {"Sec-WebSocket-Version", "13"}};
  for (const auto& [name, value] : headers) {
    std::erase_if(all, [&name = name](const auto& header) { return header.first == name; });
    if (!value.empty()) all.emplace_back(name, value);
  }
  std::string text = "GET " + std::string(target) + " HTTP/1.1\r\n";
  for (const auto& [name, value] : all) text += name + ": " + value + "\r\n";
  SendRaw(text + "\r\n");
  return ReadAnswer(true);
}

HttpAnswer WebSocketClient::Request(std::string_view method, std::string_view target,
                                    const Headers& headers, std::string_view body) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  SendRaw(text.append("\r\n").append(body));
  return ReadAnswer(false);
}

HttpAnswer WebSocketClient::ReadAnswer(bool is_upgrade) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + kPatience;
  HttpAnswer answer;
  std::size_t head_size = 0;
  while ((head_size = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore(deadline)) return answer;
  }
  answer.head = buffer_.substr(0, head_size + 2);
  buffer_.erase(0, head_size + 4);
  answer.status = std::stoi(answer.head.substr(answer.head.find(' ') + 1));
  if (is_upgrade && answer.status == 101) return answer;
  while (ReadMore(deadline)) {
  }
  answer.body = std::exchange(buffer_, "");
  return answer;
}

bool WebSocketClient::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

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
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(shape.is_masked ? static_cast<char>(payload[i] ^ kMask[i % 4]) : payload[i]);
  }
  return SendRaw(frame);
}

std::optional<WebSocketFrame> WebSocketClient::ReadFrame(std::chrono::milliseconds patience) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  const auto need = [&](std::size_t size) {
    while (buffer_.size() < size) {
      if (!ReadMore(deadline)) return false;
    }
    return true;
  };
  if (!need(2)) return std::nullopt;
  std::uint64_t size = static_cast<unsigned char>(buffer_[1]) & 0x7f;
  std::size_t header = 2;
  if (size >= 126) {
    header = size == 126 ? 4 : 10;
    if (!need(header)) return std::nullopt;
    size = BigEndian(std::string_view(buffer_).substr(2, header - 2));
  }
  if (!need(header + size)) return std::nullopt;
  WebSocketFrame frame{buffer_[0] & 0x0f, buffer_.substr(header, size)};
  buffer_.erase(0, header + size);
  return frame;
}

std::string WebSocketClient::ReadText(std::chrono::milliseconds patience) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
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

bool WebSocketClient::ReadMore(SteadyTime deadline) {
  if (fd_ < 0) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) {
    return false;
  }
  std::array<char, 16 * 1024> bytes;
  const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

}  // namespace wattmint::test
