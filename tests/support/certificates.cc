// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include "core/base/assert.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace wattmint::test {
namespace {

void Check(bool is_done) { WATTMINT_ASSERT(is_done, "OpenSSL makes no certificate"); }

void SetExtension(X509* certificate, int kind, const char* text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, &context, kind, text);
  Check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void SetName(X509_NAME* subject, const std::string& name) {
  Check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1);
}

// Without issuer and signature.
X509* Draft(EVP_PKEY* key, const std::string& name, std::chrono::seconds lifetime) {
  static long serial = 1;
  X509* draft = X509_new();
  Check(X509_set_version(draft, 2) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(draft), ++serial) == 1);
  X509_gmtime_adj(X509_getm_notBefore(draft), -60);
  X509_gmtime_adj(X509_getm_notAfter(draft), static_cast<long>(lifetime.count()));
  SetName(X509_get_subject_name(draft), name);
  Check(X509_set_pubkey(draft, key) == 1);
  return draft;
}

template <typename Write>
std::string Pem(Write write) {
  BIO* memory = BIO_new(BIO_s_mem());
  Check(write(memory) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

std::string Pem(X509* certificate) {
  return Pem([certificate](BIO* memory) { return PEM_write_bio_X509(memory, certificate); });
}

}  // namespace

void CertificateAuthority::Deleter::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void CertificateAuthority::Deleter::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

CertificateAuthority::CertificateAuthority()
    : key_(EVP_EC_gen("P-256")), own_(Draft(key_.get(), "authority", std::chrono::hours(1))) {
  SetExtension(own_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_set_issuer_name(own_.get(), X509_get_subject_name(own_.get()));
  Check(X509_sign(own_.get(), key_.get(), EVP_sha256()) > 0);
  certificate_ = Pem(own_.get());
}

CertificateAuthority::~CertificateAuthority() = default;

Identity CertificateAuthority::Issue(const std::string& name, std::chrono::seconds lifetime) {
  const std::unique_ptr<evp_pkey_st, Deleter> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<x509_st, Deleter> draft(Draft(key.get(), name, lifetime));
  SetExtension(draft.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_set_issuer_name(draft.get(), X509_get_subject_name(own_.get()));
  Check(X509_sign(draft.get(), key_.get(), EVP_sha256()) > 0);
  return {Pem(draft.get()), Pem([&key](BIO* memory) {
            return PEM_write_bio_PrivateKey(memory, key.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr);
          })};
}

}  // namespace wattmint::test
