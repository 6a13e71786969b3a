// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signer_stream.h"

#include "core/base/status.h"
#include "core/ledger/signer_protocol.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

namespace wattmint::ledger {
namespace {

constexpr std::size_t kFillBytesMax = 64 * 1024;

bool IsPassing(int error) { return error == EAGAIN || error == EINTR; }

absl::Status Closed() { return base::Unavailable("the other side closed the connection"); }

absl::Status Lost() {
  if (errno == EPIPE || errno == ECONNRESET) return Closed();
  return base::Unavailable("the connection broke: {}", std::strerror(errno));
}

}  // namespace

short SignerStream::events() const {
  return static_cast<short>(POLLIN | (out_.empty() ? 0 : POLLOUT));
}

absl::Status SignerStream::Flush() {
  while (!out_.empty()) {
    const ssize_t sent = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) return IsPassing(errno) ? absl::OkStatus() : Lost();
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  return absl::OkStatus();
}

absl::Status SignerStream::Fill() {
  std::array<char, kFillBytesMax> bytes;
  const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (got == 0) return Closed();
  if (got < 0) return IsPassing(errno) ? absl::OkStatus() : Lost();
  in_.erase(0, std::exchange(taken_, 0));
  in_.append(bytes.data(), static_cast<std::size_t>(got));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> SignerStream::TakeLine() {
  const std::size_t end = unread().find('\n');
  if (std::min(end, unread().size()) >= kSignerLineBytesMax) {
    return base::Unavailable("a line came that has more than {} bytes", kSignerLineBytesMax);
  }
  if (end == std::string_view::npos) return std::nullopt;
  std::string line = Take(end + 1);
  line.pop_back();
  return line;
}

std::optional<std::string> SignerStream::TakeBytes(std::size_t count) {
  if (unread().size() < count) return std::nullopt;
  return Take(count);
}

std::string SignerStream::Take(std::size_t count) {
  std::string bytes(unread().substr(0, count));
  taken_ += count;
  return bytes;
}

}  // namespace wattmint::ledger
