// SPDX-License-Identifier: Apache-2.0
#include "core/door/tls_socket.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <sys/socket.h>

namespace wattmint::door {
namespace {

int SendQuietly(BIO* bio, const char* bytes, int size) {
  int fd = -1;
  BIO_get_fd(bio, &fd);
  BIO_clear_retry_flags(bio);
  const auto sent = static_cast<int>(send(fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL));
  if (sent <= 0 && BIO_sock_should_retry(sent) != 0) BIO_set_retry_write(bio);
  return sent;
}

BIO_METHOD* MakeMethod() {
  const BIO_METHOD* const socket = BIO_s_socket();
  BIO_METHOD* const quiet = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
  if (quiet == nullptr) return nullptr;
  BIO_meth_set_write(quiet, SendQuietly);
  BIO_meth_set_read(quiet, BIO_meth_get_read(socket));
  BIO_meth_set_puts(quiet, BIO_meth_get_puts(socket));
  BIO_meth_set_ctrl(quiet, BIO_meth_get_ctrl(socket));
  BIO_meth_set_create(quiet, BIO_meth_get_create(socket));
  BIO_meth_set_destroy(quiet, BIO_meth_get_destroy(socket));
  return quiet;
}

}  // namespace

void UseSocket(ssl_st* session, int fd) {
  static const BIO_METHOD* const method = MakeMethod();
  BIO* const bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return;  // no memory; then the session's first read says so
  BIO_set_fd(bio, fd, BIO_NOCLOSE);
  SSL_set_bio(session, bio, bio);
}

}  // namespace wattmint::door
