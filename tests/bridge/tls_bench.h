// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/door/tls.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <fstream>
#include <functional>
#include <memory>
#include <string>

namespace wattmint::bridge {

// Certificate files of a server on 127.0.0.1, and what makes TLS of them.
class TlsBench {
 public:
  TlsBench() {
    std::ofstream(authorities()) << authority_.certificate();
    Renew(authority_.Issue("server"));
    auto opened = door::TlsServer::Open(
        {.files = {.certificate = Path("certificate"), .key = Path("key"), .client_ca = ""},
         .protocol = "http/1.1",
         .resumption = door::TlsServer::Resumption::kByTicket,
         .look_every = std::chrono::hours(1)});
    EXPECT_THAT(opened, test::IsOk());
    server_ = *std::move(opened);
  }

  std::string Path(const std::string& name) const { return directory_ / name; }
  // Whom the server's certificate is signed by.
  std::string authorities() const { return Path("authorities"); }
  door::TlsServer& server() { return *server_; }
  std::function<std::unique_ptr<door::TlsSession>(int)> Begin() {
    return [this](int fd) { return server_->Begin(fd); };
  }
  void Renew(const test::Identity& identity) {
    std::ofstream(Path("certificate"), std::ios::trunc) << identity.certificate;
    std::ofstream(Path("key"), std::ios::trunc) << identity.key;
  }

 private:
  const test::TempDir directory_;
  test::CertificateAuthority authority_;
  std::unique_ptr<door::TlsServer> server_;
};

}  // namespace wattmint::bridge
