// SPDX-License-Identifier: Apache-2.0
#include "core/door/tls_session.h"

#include "core/door/tls_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

namespace wattmint::door {
namespace {

// Messages of handshakes and alerts of one connection, both ways, after which it is cut: a
// handshake takes some 15, and each of those that follow (KeyUpdate, what begins a new one) costs
// the server more than the client. Neither gRPC nor a browser sends them.
constexpr int kHandshakeMessagesMax = 100;  // chosen

}  // namespace

void TlsSession::NoteMessage(int, int, int type, const void*, std::size_t, ssl_st*, void* self) {
  if (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT) return;
  auto& own = *static_cast<TlsSession*>(self);
  if (++own.messages_count_ <= kHandshakeMessagesMax) return;
  own.has_failed_ = true;
  shutdown(own.fd_, SHUT_RDWR);  // ends the read that is under way as well
}

void TlsSession::Deleter::operator()(ssl_st* session) const { SSL_free(session); }

TlsSession::TlsSession(int fd, ssl_st* session) : fd_(fd), session_(session) {
  UseSocket(session, fd);
  SSL_set_accept_state(session);
  SSL_set_msg_callback(session, NoteMessage);
  SSL_set_msg_callback_arg(session, this);
}

TlsSession::~TlsSession() { Close(); }

void TlsSession::Close() {
  if (SSL_is_init_finished(session_.get()) == 1 && !is_broken_) SSL_shutdown(session_.get());
  is_broken_ = true;
  ERR_clear_error();
}

bool TlsSession::HasUnread() const { return SSL_pending(session_.get()) > 0; }

Moved TlsSession::Read(void* room, std::size_t room_size) {
  // Errors of other sessions on this thread would be taken for ours.
  ERR_clear_error();
  const bool is_established = SSL_is_init_finished(session_.get()) == 1;
  std::size_t size = 0;
  wants_to_write_ = false;
  if (SSL_read_ex(session_.get(), room, room_size, &size) == 1) {
    return {Moved::State::kDone, size};
  }
  switch (SSL_get_error(session_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
      return {Moved::State::kBlocked};
    case SSL_ERROR_WANT_WRITE:
      wants_to_write_ = true;
      return {Moved::State::kBlocked};
    case SSL_ERROR_SSL:
      // An end without a word is none of TLS once that stands: HTTP/2 has its own.
      has_failed_ |= !is_established;
      is_broken_ = true;
      return {Moved::State::kEnded};
    default:
      return {Moved::State::kEnded};
  }
}

Moved TlsSession::Write(const void* bytes, std::size_t bytes_size) {
  if (is_broken_) return {Moved::State::kEnded};
  ERR_clear_error();
  std::size_t size = 0;
  if (SSL_write_ex(session_.get(), bytes, bytes_size, &size) == 1) {
    return {Moved::State::kDone, size};
  }
  // A handshake in the middle, which would have us wait for reading, is not permitted.
  const bool is_blocked = SSL_get_error(session_.get(), 0) == SSL_ERROR_WANT_WRITE;
  if (is_blocked) return {Moved::State::kBlocked};
  is_broken_ = true;
  return {Moved::State::kEnded};
}

}  // namespace wattmint::door
