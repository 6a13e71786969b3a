// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/door/tls_session.h"
#include "core/door/transport.h"

#include <memory>
#include <utility>

namespace wattmint::door {

// A socket whose bytes are carried by TLS.
class TlsTransport final : public Transport {
 public:
  // `session` is on the socket.
  TlsTransport(base::UniqueFd socket, std::unique_ptr<TlsSession> session)
      : Transport(std::move(socket)), session_(std::move(session)) {}

  Moved Read(std::span<std::uint8_t> room) override {
    return session_->Read(room.data(), room.size());
  }
  Moved Write(std::span<const std::uint8_t> bytes) override {
    return session_->Write(bytes.data(), bytes.size());
  }
  bool WantsToWrite() const override { return session_->WantsToWrite(); }
  bool HasFailed() const override { return session_->HasFailed(); }

 private:
  const std::unique_ptr<TlsSession> session_;
};

}  // namespace wattmint::door
