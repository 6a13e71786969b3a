// SPDX-License-Identifier: Apache-2.0
#include "bridge/client_tls.h"

#include "core/base/status.h"
#include "core/door/tls_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

namespace wattmint::bridge {
namespace {

constexpr unsigned char kHttp1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

bool IsIpAddress(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool Expect(SSL* session, const std::string& host) {
  if (IsIpAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  }
  return SSL_set1_host(session, host.c_str()) == 1 &&
         SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

std::string WhyNot(const SSL* session) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "it ended the connection, or is too slow" : reason;
}

}  // namespace

void ClientTls::Deleter::operator()(ssl_st* session) const { SSL_free(session); }

absl::StatusOr<std::unique_ptr<ClientTls>> ClientTls::Connect(int fd,
                                                              const std::string& authorities,
                                                              const std::string& host) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return base::Unavailable("no memory is left for TLS");
  if (SSL_CTX_load_verify_file(context.get(), authorities.c_str()) != 1) {
    ERR_clear_error();
    return base::InvalidArgument("{} cannot be used as certificates of authorities", authorities);
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // A read ends with the record that made the socket readable, though it be a ticket.
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_alpn_protos(context.get(), kHttp1, sizeof kHttp1);
  SSL* const session = SSL_new(context.get());
  if (session == nullptr) return base::Unavailable("no memory is left for TLS");
  std::unique_ptr<ClientTls> client(new ClientTls(session));
  door::UseSocket(session, fd);
  if (!Expect(session, host)) {
    return base::InvalidArgument("\"{}\" cannot be the name of a server", host);
  }
  if (SSL_connect(session) != 1) {
    const std::string reason = WhyNot(session);
    client->Abandon();
    return base::Unavailable("{} is not trusted by TLS: {}", host, reason);
  }
  return client;
}

void ClientTls::Abandon() { SSL_set_quiet_shutdown(session_.get(), 1); }

ClientTls::~ClientTls() {
  if (SSL_is_init_finished(session_.get()) == 1) SSL_shutdown(session_.get());
  ERR_clear_error();
}

ssize_t ClientTls::Read(void* room, std::size_t size) {
  ERR_clear_error();
  std::size_t got = 0;
  if (SSL_read_ex(session_.get(), room, size, &got) == 1) return static_cast<ssize_t>(got);
  return SSL_get_error(session_.get(), 0) == SSL_ERROR_WANT_READ ? -1 : 0;
}

bool ClientTls::HasUnread() const { return SSL_pending(session_.get()) > 0; }

bool ClientTls::Write(std::string_view bytes) {
  if (bytes.empty()) return true;
  ERR_clear_error();
  std::size_t sent = 0;
  return SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent) == 1;
}

}  // namespace wattmint::bridge
