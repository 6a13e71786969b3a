// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/door/transport.h"

#include <memory>

// Of OpenSSL.
struct ssl_st;

namespace wattmint::door {

// The server's end of a TLS connection. Its handshake is part of reading.
class TlsTransport final : public Transport {
 public:
  // Takes `session`, which must be new.
  TlsTransport(base::UniqueFd socket, ssl_st* session);
  // Says that nothing more will come, if that can be said at once.
  ~TlsTransport() override;

  Moved Read(std::span<std::uint8_t> room) override;
  Moved Write(std::span<const std::uint8_t> bytes) override;
  bool WantsToWrite() const override { return wants_to_write_; }
  bool HasFailed() const override { return has_failed_; }

 private:
  struct Deleter {
    void operator()(ssl_st* session) const;
  };

  const std::unique_ptr<ssl_st, Deleter> session_;
  bool wants_to_write_ = false;
  bool has_failed_ = false;
};

}  // namespace wattmint::door
