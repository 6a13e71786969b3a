// SPDX-License-Identifier: Apache-2.0
#include "core/door/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace wattmint::door {

void TlsTransport::Deleter::operator()(ssl_st* session) const { SSL_free(session); }

TlsTransport::TlsTransport(base::UniqueFd socket, ssl_st* session)
    : Transport(std::move(socket)), session_(session) {
  SSL_set_fd(session, fd());
  SSL_set_accept_state(session);
}

TlsTransport::~TlsTransport() {
  if (SSL_is_init_finished(session_.get()) == 1 && !has_failed_) SSL_shutdown(session_.get());
  ERR_clear_error();
}

Moved TlsTransport::Read(std::span<std::uint8_t> room) {
  // Errors of other sessions on this thread would be taken for ours.
  ERR_clear_error();
  std::size_t size = 0;
  wants_to_write_ = false;
  if (SSL_read_ex(session_.get(), room.data(), room.size(), &size) == 1) {
    return {Moved::State::kDone, size};
  }
  switch (SSL_get_error(session_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
      return {Moved::State::kBlocked};
    case SSL_ERROR_WANT_WRITE:
      wants_to_write_ = true;
      return {Moved::State::kBlocked};
    case SSL_ERROR_SSL:
      has_failed_ = true;
      return {Moved::State::kEnded};
    default:
      return {Moved::State::kEnded};
  }
}

Moved TlsTransport::Write(std::span<const std::uint8_t> bytes) {
  ERR_clear_error();
  std::size_t size = 0;
  if (SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &size) == 1) {
    return {Moved::State::kDone, size};
  }
  // A handshake in the middle, which would have us wait for reading, is not permitted.
  const bool is_blocked = SSL_get_error(session_.get(), 0) == SSL_ERROR_WANT_WRITE;
  return {is_blocked ? Moved::State::kBlocked : Moved::State::kEnded};
}

}  // namespace wattmint::door
