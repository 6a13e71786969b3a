// SPDX-License-Identifier: Apache-2.0
#include "core/door/transport.h"

#include <cerrno>
#include <sys/socket.h>

namespace wattmint::door {
namespace {

Moved AfterCall(ssize_t result) {
  if (result > 0) return {Moved::State::kDone, static_cast<std::size_t>(result)};
  const bool is_blocked = result < 0 && (errno == EAGAIN || errno == EINTR);
  return {is_blocked ? Moved::State::kBlocked : Moved::State::kEnded};
}

}  // namespace

Moved PlainTransport::Read(std::span<std::uint8_t> room) {
  return AfterCall(recv(fd(), room.data(), room.size(), 0));
}

Moved PlainTransport::Write(std::span<const std::uint8_t> bytes) {
  return AfterCall(send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

}  // namespace wattmint::door
