// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

// Of OpenSSL.
struct evp_pkey_st;
struct x509_st;

namespace wattmint::test {

// A certificate and its private key, PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

// Signs certificates of servers and clients alike. What goes wrong ends the test program.
class CertificateAuthority {
 public:
  CertificateAuthority();
  ~CertificateAuthority();

  // Its own certificate, PEM.
  const std::string& certificate() const { return certificate_; }

  // A new key and a certificate for it, of this name, for localhost and 127.0.0.1.
  Identity Issue(const std::string& name, std::chrono::seconds lifetime = std::chrono::hours(1));

 private:
  struct Deleter {
    void operator()(evp_pkey_st* key) const;
    void operator()(x509_st* certificate) const;
  };

  std::unique_ptr<evp_pkey_st, Deleter> key_;
  std::unique_ptr<x509_st, Deleter> own_;
  std::string certificate_;
};

}  // namespace wattmint::test
