// SPDX-License-Identifier: Apache-2.0
#include "cli/http_get.h"

#include "core/base/status.h"
#include "core/base/unique_fd.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace wattmint::cli {
namespace {

constexpr timeval kTimeout{.tv_sec = 3, .tv_usec = 0};
constexpr std::size_t kAnswerBytesMax = 1 << 20;

absl::StatusOr<base::UniqueFd> Connect(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return base::InvalidArgument("{} is no HOST:PORT", address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) {
    return base::Unavailable("{} has no address", address);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    base::UniqueFd fd(socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (fd.get() < 0) continue;
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof kTimeout);
    if (connect(fd.get(), at->ai_addr, at->ai_addrlen) == 0) return fd;
  }
  return base::Unavailable("nothing answers at {}", address);
}

absl::StatusOr<HttpAnswer> ParseAnswer(std::string_view text, const std::string& address) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  HttpAnswer answer;
  const std::size_t head_end = text.find("\r\n\r\n");
  if (text.starts_with(kVersion) && head_end != std::string_view::npos) {
    const char* digits = text.data() + kVersion.size();
    std::from_chars(digits, digits + 3, answer.status);
    answer.body = text.substr(head_end + 4);
  }
  if (answer.status == 0) return base::Unavailable("what answers at {} is no bridge", address);
  return answer;
}

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, std::string_view path) {
  const absl::StatusOr<base::UniqueFd> fd = Connect(address);
  if (!fd.ok()) return fd.status();
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address);
  if (send(fd->get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return base::Unavailable("what answers at {} takes no request", address);
  }
  std::string text;
  char buffer[4096];
  while (text.size() < kAnswerBytesMax) {
    const ssize_t count = recv(fd->get(), buffer, sizeof buffer, 0);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return ParseAnswer(text, address);
}

}  // namespace wattmint::cli
