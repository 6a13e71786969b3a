// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/unique_fd.h"
#include "core/door/transport.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// Of OpenSSL.
struct ssl_ctx_st;

namespace wattmint::door {

// The files that TLS is made of, all PEM.
struct TlsFiles {
  std::string certificate;  // with its chain
  std::string key;
  std::string client_ca;  // empty: clients need no certificate; else one that these have signed
};

// The server's side of TLS 1.2 and 1.3, for HTTP/2 alone.
//
// Files that were renewed are taken by the next connection, without a restart; while they do not
// fit together, such as a certificate whose key is yet to be written, the former ones stay.
// Connections that are open keep what they began with.
// Threads: one; expire_time() from any.
class TlsServer {
 public:
  struct Options {
    TlsFiles files;
    std::chrono::steady_clock::duration look_every = std::chrono::seconds(1);
    // Told of files that were renewed: OK, or why they cannot be used.
    std::function<void(const absl::Status&)> on_renewed = [](const absl::Status&) {};
  };

  // Errors: kInvalidArgument with the file that is wrong and why.
  static absl::StatusOr<std::unique_ptr<TlsServer>> Open(Options options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // The handshake comes with the first read. Errors: kUnavailable, out of memory.
  absl::StatusOr<std::unique_ptr<Transport>> Accept(base::UniqueFd socket);

  // When the certificate that is in use ends.
  base::Time expire_time() const { return expire_time_.load(); }

 private:
  struct ContextDeleter {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, ContextDeleter>;
  // What the files look like from outside; another when one was renewed.
  using Look = std::vector<std::string>;

  explicit TlsServer(Options options) : options_(std::move(options)) {}
  static absl::StatusOr<Context> Load(const TlsFiles& files);
  static Look LookAt(const TlsFiles& files);
  absl::Status Renew();
  void RenewIfChanged();

  const Options options_;
  Context context_;
  Look look_;
  std::chrono::steady_clock::time_point next_look_{};
  std::atomic<base::Time> expire_time_{};
};

}  // namespace wattmint::door
