// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

// Of OpenSSL.
struct ssl_st;

namespace wattmint::bridge {

// The client's end of one TLS connection, on a socket that blocks and that somebody else owns.
//
// Thread-compatible. Lifetime: the socket must outlive it.
class ClientTls {
 public:
  // `authorities`: a file with the certificates that the server's must be signed by (PEM); it must
  // be for `host`, a name or an IP address. Errors: kInvalidArgument for the file; kUnavailable if
  // the server is not trusted, or speaks no TLS.
  static absl::StatusOr<std::unique_ptr<ClientTls>> Connect(int fd, const std::string& authorities,
                                                            const std::string& host);
  // Says that nothing more will come, unless it was abandoned.
  ~ClientTls();
  void Abandon();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  // As recv(): how many bytes came; 0 at the end of the connection; -1 if what came had none.
  ssize_t Read(void* room, std::size_t size);
  // Whether bytes that came are yet to be read, so that the socket need not become readable.
  bool HasUnread() const;
  // False if the connection is gone.
  bool Write(std::string_view bytes);

 private:
  struct Deleter {
    void operator()(ssl_st* session) const;
  };

  explicit ClientTls(ssl_st* session) : session_(session) {}

  const std::unique_ptr<ssl_st, Deleter> session_;
};

}  // namespace wattmint::bridge
