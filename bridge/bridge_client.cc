// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_client.h"

#include "core/base/base64.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/tcp_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace wattmint::bridge {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kHeadBytesMax = 64 << 10;  // chosen: far above any answer's
constexpr std::size_t kSizeIn16Bits = 126;       // RFC 6455, 5.2
constexpr std::size_t kSizeIn64Bits = 127;

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string RandomBytes(std::size_t count) {
  base::SystemRandom random;
  std::vector<std::uint8_t> bytes(count);
  random.Fill(bytes);
  return {bytes.begin(), bytes.end()};
}

void SetPatience(int fd, base::Duration patience) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(patience);
  const timeval time{.tv_sec = seconds.count(), .tv_usec = (patience - seconds).count()};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);  // holds for connect() as well
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);  // within a record of TLS
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

std::string Masked(std::string_view payload, std::string_view mask) {
  std::string masked(payload);
  for (std::size_t i = 0; i < masked.size(); ++i) {
    masked[i] = static_cast<char>(masked[i] ^ mask[i % 4]);
  }
  return masked;
}

absl::StatusOr<BridgeClient> BridgeClient::Connect(const std::string& address,
                                                   const Options& options) {
  WATTMINT_ASSIGN_OR_RETURN(const std::vector<base::TcpAddress> found, base::Resolve(address));
  for (const base::TcpAddress& at : found) {
    base::UniqueFd fd(socket(at.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.IsOpen()) continue;
    SetPatience(fd.get(), options.patience);
    if (options.receive_buffer_bytes > 0) {
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes,
                 sizeof options.receive_buffer_bytes);
    }
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&at.bytes), at.size) == 0) {
      BridgeClient client(std::move(fd), address, options);
      if (!options.authorities.empty()) WATTMINT_RETURN_IF_ERROR(client.StartTls());
      return client;
    }
  }
  return base::Unavailable("nothing answers at {}", address);
}

absl::Status BridgeClient::StartTls() {
  std::string host = address_.substr(0, address_.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  WATTMINT_ASSIGN_OR_RETURN(tls_, ClientTls::Connect(socket_.get(), options_.authorities, host));
  return absl::OkStatus();
}

HttpAnswer BridgeClient::Request(std::string_view method, std::string_view target,
                                 const Headers& headers, std::string_view body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, address_);
  for (const auto& [name, value] : headers) text += fmt::format("{}: {}\r\n", name, value);
  if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
  SendRaw(text.append("\r\n").append(body));
  return ReadAnswer(false);
}

HttpAnswer BridgeClient::Upgrade(std::string_view target, const Headers& headers) {
  Headers all = {{"Host", address_},
                 {"Upgrade", "websocket"},
                 {"Connection", "Upgrade"},
                 {"Sec-WebSocket-Key",
                  base::EncodeBase64(base::AsBytes(RandomBytes(16)), base::Base64::kPadded)},
                 {"Sec-WebSocket-Version", "13"}};
  for (const auto& [name, value] : headers) {
    std::erase_if(all, [&name = name](const auto& header) { return header.first == name; });
    if (!value.empty()) all.emplace_back(name, value);
  }
  std::string text = fmt::format("GET {} HTTP/1.1\r\n", target);
  for (const auto& [name, value] : all) text += fmt::format("{}: {}\r\n", name, value);
  SendRaw(text + "\r\n");
  return ReadAnswer(true);
}

HttpAnswer BridgeClient::ReadAnswer(bool is_upgrade) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const auto deadline = steady_clock::now() + options_.patience;
  HttpAnswer answer;
  std::size_t head_size = 0;
  while ((head_size = unread().find("\r\n\r\n")) == std::string_view::npos) {
    if (unread().size() > kHeadBytesMax || !ReadMore(deadline).ok()) return answer;
  }
  answer.head = unread().substr(0, head_size + 2);
  Skip(head_size + 4);
  if (!answer.head.starts_with(kVersion)) return answer;
  const char* const digits = answer.head.data() + kVersion.size();
  std::from_chars(digits, answer.head.data() + answer.head.size(), answer.status);
  if (is_upgrade && answer.status == 101) return answer;
  while (unread().size() < kFrameBytesMax && ReadMore(deadline).ok()) {
  }
  answer.body = unread();
  Skip(answer.body.size());
  return answer;
}

bool BridgeClient::SendRaw(std::string_view bytes) {
  if (tls_ != nullptr) return tls_->Write(bytes);
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool BridgeClient::SendFrame(int opcode, std::string_view payload) {
  const std::size_t size = payload.size();
  const std::size_t more_bytes = size < kSizeIn16Bits ? 0 : size <= 0xffff ? 2 : 8;
  std::string frame;
  frame.push_back(static_cast<char>(0x80 | opcode));
  frame.push_back(static_cast<char>(0x80 | (more_bytes == 0   ? size
                                            : more_bytes == 2 ? kSizeIn16Bits
                                                              : kSizeIn64Bits)));
  for (std::size_t i = more_bytes; i-- > 0;) frame.push_back(static_cast<char>(size >> (8 * i)));
  const std::string mask = RandomBytes(4);
  return SendRaw(frame + mask + Masked(payload, mask));
}

absl::StatusOr<WebSocketFrame> BridgeClient::ReadFrame(base::Duration patience) {
  const auto deadline = steady_clock::now() + patience;
  WATTMINT_RETURN_IF_ERROR(Need(2, deadline));
  const auto first = static_cast<unsigned char>(unread()[0]);
  const auto second = static_cast<unsigned char>(unread()[1]);
  if ((first & 0x70) != 0 || (second & 0x80) != 0) {
    return base::DataLoss("a frame with a mask or with bits of an extension");
  }
  std::uint64_t size = second;
  std::size_t header = 2;
  if (size >= kSizeIn16Bits) {
    header = size == kSizeIn16Bits ? 4 : 10;
    WATTMINT_RETURN_IF_ERROR(Need(header, deadline));
    size = BigEndian(unread().substr(2, header - 2));
  }
  if (size > kFrameBytesMax) return base::DataLoss("a frame of {} bytes", size);
  WATTMINT_RETURN_IF_ERROR(Need(header + size, deadline));
  WebSocketFrame frame{(first & 0x80) != 0, first & 0x0f,
                       std::string(unread().substr(header, size))};
  Skip(header + size);
  return frame;
}

absl::StatusOr<std::string> BridgeClient::ReadText(base::Duration patience) {
  const auto deadline = steady_clock::now() + patience;
  std::string text;
  for (;;) {
    const auto left = std::chrono::duration_cast<base::Duration>(deadline - steady_clock::now());
    WATTMINT_ASSIGN_OR_RETURN(WebSocketFrame frame, ReadFrame(left));
    switch (frame.opcode) {
      case WebSocketFrame::kText:
      case WebSocketFrame::kContinuation:
        text += frame.payload;
        if (text.size() > kFrameBytesMax) return base::DataLoss("a text without an end");
        if (frame.is_final) return text;
        break;
      case WebSocketFrame::kPing:
        SendFrame(WebSocketFrame::kPong, frame.payload);
        break;
      case WebSocketFrame::kClose:
        return base::Cancelled("{}", frame.CloseCode());
      default:
        break;
    }
  }
}

void BridgeClient::Reset() {
  if (!socket_.IsOpen()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (tls_ != nullptr) tls_->Abandon();
  tls_.reset();
  socket_ = base::UniqueFd();
}

void BridgeClient::Abort() { shutdown(socket_.get(), SHUT_RDWR); }

absl::Status BridgeClient::Need(std::size_t size, steady_clock::time_point deadline) {
  while (unread().size() < size) WATTMINT_RETURN_IF_ERROR(ReadMore(deadline));
  return absl::OkStatus();
}

absl::Status BridgeClient::ReadMore(steady_clock::time_point deadline) {
  if (!socket_.IsOpen()) return base::Unavailable("the connection is closed");
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  pollfd wanted{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  const bool has_unread = tls_ != nullptr && tls_->HasUnread();
  const auto wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
  const int ready = has_unread ? 1 : poll(&wanted, 1, wait_ms);
  if (ready < 0 && errno == EINTR) return absl::OkStatus();
  if (ready == 0) return base::DeadlineExceeded("nothing came in time");
  std::array<char, 64 * 1024> bytes;
  const ssize_t got = tls_ != nullptr ? tls_->Read(bytes.data(), bytes.size())
                                      : recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (got < 0 && tls_ != nullptr) return absl::OkStatus();
  if (got <= 0) return base::Unavailable("{} ended the connection", address_);
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return absl::OkStatus();
}

void BridgeClient::Skip(std::size_t size) {
  begin_ += size;
  // Moves what is left seldom, so that many small frames cost one move together.
  if (begin_ < buffer_.size() / 2) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
}

}  // namespace wattmint::bridge
