// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"
#include "core/door/moved.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace wattmint::door {

// One socket that does not block, as bytes in clear. Thread-compatible.
class Transport {
 public:
  // `socket` must be open and must not block.
  explicit Transport(base::UniqueFd socket) : socket_(std::move(socket)) {}
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // REQUIRES: room for kReadBytesMin; bytes that are not empty. A write that was blocked is tried
  // again with the same bytes first.
  virtual Moved Read(std::span<std::uint8_t> room) = 0;
  virtual Moved Write(std::span<const std::uint8_t> bytes) = 0;
  // Whether reading waits for the socket to be writable.
  virtual bool WantsToWrite() const { return false; }
  // Whether the other side ended it for reasons of TLS.
  virtual bool HasFailed() const { return false; }

  int fd() const { return socket_.get(); }

  static constexpr std::size_t kReadBytesMin = 16'384;  // a record of TLS, so that none is kept

 private:
  const base::UniqueFd socket_;
};

// Bytes as they are on the socket.
class PlainTransport final : public Transport {
 public:
  using Transport::Transport;
  Moved Read(std::span<std::uint8_t> room) override;
  Moved Write(std::span<const std::uint8_t> bytes) override;
};

}  // namespace wattmint::door
