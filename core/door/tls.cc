// SPDX-License-Identifier: Apache-2.0
#include "core/door/tls.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/door/tls_transport.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace wattmint::door {
namespace {

// Suites of TLS 1.2 that HTTP/2 permits. Source: RFC 9113, section 9.2.2.
constexpr char kSuites[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
// What a ticket is good for: any of our certificates, since it dies with the one that it is from.
constexpr unsigned char kTicketContext[] = "wattmint";

std::string LastError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unreadable" : reason;
}

absl::Status BadFile(const std::string& path, std::string_view what) {
  return base::InvalidArgument("{} cannot be used as {}: {}", path, what, LastError());
}

// Else OpenSSL would ask the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

// `own`: the std::string with the one protocol that is spoken.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned int offered_size, void* own) {
  const auto& spoken = *static_cast<const std::string*>(own);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(spoken.data()),
                            static_cast<unsigned int>(spoken.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void SetRules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kSuites);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Else one read would go on for as long as a client sends records without data.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_default_passwd_cb(context, NoPassword);
}

void SetResumption(SSL_CTX* context, TlsServer::Resumption resumption) {
  if (resumption == TlsServer::Resumption::kByTicket) {
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_id_context(context, kTicketContext, sizeof kTicketContext - 1);
    return;
  }
  // So that who is no longer trusted does not come in by an older session.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

base::Time EndOf(const X509* certificate) {
  std::tm end{};
  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end);
  return base::Time(std::chrono::seconds(timegm(&end)));
}

}  // namespace

void TlsServer::ContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsServer::TlsServer(Options options)
    : options_(std::move(options)),
      offered_(static_cast<char>(options_.protocol.size()) + options_.protocol) {}

TlsServer::~TlsServer() = default;

absl::StatusOr<std::unique_ptr<TlsServer>> TlsServer::Open(Options options) {
  std::unique_ptr<TlsServer> server(new TlsServer(std::move(options)));
  base::MutexLock lock(server->mutex_);
  WATTMINT_RETURN_IF_ERROR(server->RenewLocked());
  return server;
}

absl::StatusOr<std::unique_ptr<Transport>> TlsServer::Accept(base::UniqueFd socket) {
  std::unique_ptr<TlsSession> session = Begin(socket.get());
  if (session == nullptr) return base::Unavailable("no memory is left for TLS");
  return std::make_unique<TlsTransport>(std::move(socket), std::move(session));
}

std::unique_ptr<TlsSession> TlsServer::Begin(int fd) {
  std::optional<absl::Status> news;
  SSL* session = nullptr;
  {
    base::MutexLock lock(mutex_);
    news = RenewIfChangedLocked();
    session = SSL_new(context_.get());
  }
  if (news) options_.on_renewed(*news);
  return session == nullptr ? nullptr : std::make_unique<TlsSession>(fd, session);
}

void TlsServer::Reload() {
  absl::Status status;
  {
    base::MutexLock lock(mutex_);
    status = RenewLocked();
  }
  options_.on_renewed(status);
}

absl::StatusOr<TlsServer::Context> TlsServer::Load() const {
  const TlsFiles& files = options_.files;
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return base::Unavailable("no memory is left for TLS");
  SetRules(context.get());
  SetResumption(context.get(), options_.resumption);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, const_cast<std::string*>(&offered_));
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return BadFile(files.certificate, "a certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return BadFile(files.key, fmt::format("the key of {}", files.certificate));
  }
  if (files.client_ca.empty()) return context;
  if (SSL_CTX_load_verify_file(context.get(), files.client_ca.c_str()) != 1) {
    return BadFile(files.client_ca, "the certificates that clients' are signed by");
  }
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(files.client_ca.c_str()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

TlsServer::Look TlsServer::LookAt(const TlsFiles& files) {
  Look look;
  for (const std::string* path : {&files.certificate, &files.key, &files.client_ca}) {
    struct stat info {};
    if (stat(path->c_str(), &info) != 0) info = {};
    look.push_back(fmt::format("{} {} {} {}.{:09}", info.st_dev, info.st_ino, info.st_size,
                               info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
  }
  return look;
}

absl::Status TlsServer::RenewLocked() {
  // Taken before the files are read: what changes meanwhile is seen the next time.
  Look look = LookAt(options_.files);
  absl::StatusOr<Context> context = Load();
  trouble_ = context.status();
  // What cannot be used now may be so later without looking different: it is tried again.
  if (!context.ok()) return trouble_;
  context_ = *std::move(context);
  look_ = std::move(look);
  expire_time_ = EndOf(SSL_CTX_get0_certificate(context_.get()));
  return absl::OkStatus();
}

std::optional<absl::Status> TlsServer::RenewIfChangedLocked() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return std::nullopt;
  next_look_ = now + options_.look_every;
  if (LookAt(options_.files) == look_) return std::nullopt;
  const absl::Status before = trouble_;
  const absl::Status status = RenewLocked();
  if (!status.ok() && status == before) return std::nullopt;  // told already
  return status;
}

}  // namespace wattmint::door
