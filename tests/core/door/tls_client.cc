// SPDX-License-Identifier: Apache-2.0
#include "tests/core/door/tls_client.h"

#include "core/base/assert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>

namespace wattmint::door {
namespace {

void Check(bool is_done) { WATTMINT_ASSERT(is_done, "OpenSSL refuses the test's setting"); }

// What `read` makes of the PEM text; the caller frees it.
template <typename Read>
auto FromPem(const std::string& text, Read read) {
  BIO* memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  auto* object = read(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  Check(object != nullptr);
  return object;
}

ssl_ctx_st* MakeContext(const TlsClient::Options& options) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  X509* ca = FromPem(options.ca, PEM_read_bio_X509);
  Check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) == 1);
  X509_free(ca);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_security_level(context, 0);  // so that it offers older versions, too
  if (options.version_max != 0) SSL_CTX_set_max_proto_version(context, options.version_max);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned int>(options.protocols.size()));
  if (options.identity) {
    X509* certificate = FromPem(options.identity->certificate, PEM_read_bio_X509);
    EVP_PKEY* key = FromPem(options.identity->key, PEM_read_bio_PrivateKey);
    Check(SSL_CTX_use_certificate(context, certificate) == 1 &&
          SSL_CTX_use_PrivateKey(context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  return context;
}

}  // namespace

TlsClient::TlsClient(base::UniqueFd socket, const Options& options)
    : socket_(std::move(socket)), context_(MakeContext(options)), session_(SSL_new(context_)) {
  SSL_set_fd(session_, socket_.get());
  if (options.session != nullptr) Check(SSL_set_session(session_, options.session.get()) == 1);
}

TlsClient::~TlsClient() {
  SSL_shutdown(session_);
  SSL_free(session_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

Moved::State TlsClient::After(int result) const {
  if (result == 1) return Moved::State::kDone;
  const int error = SSL_get_error(session_, result);
  const bool is_blocked = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  return is_blocked ? Moved::State::kBlocked : Moved::State::kEnded;
}

Moved::State TlsClient::Connect() {
  ERR_clear_error();
  return After(SSL_connect(session_));
}

Moved::State TlsClient::Send(std::string_view text) {
  ERR_clear_error();
  std::size_t sent = 0;
  return After(SSL_write_ex(session_, text.data(), text.size(), &sent));
}

Moved::State TlsClient::ChangeKeys() {
  SSL_key_update(session_, SSL_KEY_UPDATE_NOT_REQUESTED);
  return After(SSL_do_handshake(session_));
}

void TlsClient::Vanish() { SSL_set_quiet_shutdown(session_, 1); }

std::string TlsClient::Receive() {
  ERR_clear_error();
  std::array<char, 20'000> buffer;
  std::size_t size = 0;
  SSL_read_ex(session_, buffer.data(), buffer.size(), &size);
  return {buffer.data(), size};
}

std::shared_ptr<ssl_session_st> TlsClient::Session() const {
  return {SSL_get1_session(session_), SSL_SESSION_free};
}

bool TlsClient::IsResumed() const { return SSL_session_reused(session_) == 1; }

std::string TlsClient::ServerName() const {
  const X509* certificate = SSL_get0_peer_certificate(session_);
  if (certificate == nullptr) return "";
  std::array<char, 100> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

}  // namespace wattmint::door
