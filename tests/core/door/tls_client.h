// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"
#include "core/door/transport.h"
#include "tests/support/certificates.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

// Of OpenSSL.
struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace wattmint::door {

// The client's end of TLS, on a socket that does not block. Thread-compatible.
class TlsClient {
 public:
  struct Options {
    std::string ca;                               // PEM
    std::optional<test::Identity> identity;       // none: it shows no certificate
    std::string protocols = std::string("\2h2");  // as in RFC 7301; "": none
    int version_max = 0;                          // of OpenSSL; 0: any
    // shared: with the client that it was the Session() of. nullptr: none to resume
    std::shared_ptr<ssl_session_st> session = nullptr;
  };
  TlsClient(base::UniqueFd socket, const Options& options);
  ~TlsClient();

  // One step of the handshake.
  Moved::State Connect();
  Moved::State Send(std::string_view text);
  // Changes its keys, of TLS 1.3 (RFC 8446, section 4.6.3).
  Moved::State ChangeKeys();
  // Ends without a word.
  void Vanish();
  // What has come; "" if nothing did.
  std::string Receive();
  // What another client can resume; the ticket comes with the first bytes that are received.
  std::shared_ptr<ssl_session_st> Session() const;
  bool IsResumed() const;
  // The name in the server's certificate.
  std::string ServerName() const;

 private:
  Moved::State After(int result) const;

  const base::UniqueFd socket_;
  ssl_ctx_st* const context_;
  ssl_st* const session_;
};

}  // namespace wattmint::door
