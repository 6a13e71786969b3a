// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/unique_fd.h"
#include "core/door/tls_session.h"
#include "core/door/transport.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
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

// The server's side of TLS 1.2 and 1.3, for one protocol alone.
//
// Files that were renewed are taken by the next connection, without a restart; while they do not
// fit together, such as a certificate whose key is yet to be written, the former ones stay.
// Connections that are open keep what they began with.
// Threads: any; a session belongs to the thread that asked for it. Lifetime: it must outlive them.
class TlsServer {
 public:
  // Whether a client that comes again may leave out the signature of the server, by a ticket that
  // it got from the same files. Then certificates of clients are not looked at again.
  enum class Resumption { kNone, kByTicket };

  struct Options {
    TlsFiles files;
    // What clients that name protocols (ALPN) must have among them.
    std::string protocol = "h2";
    Resumption resumption = Resumption::kNone;
    std::chrono::steady_clock::duration look_every = std::chrono::seconds(1);
    // Told of files that were renewed, on the thread that found them: OK, or why they cannot be
    // used.
    std::function<void(const absl::Status&)> on_renewed = [](const absl::Status&) {};
  };

  // Errors: kInvalidArgument with the file that is wrong and why.
  static absl::StatusOr<std::unique_ptr<TlsServer>> Open(Options options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // The handshake comes with the first read. Errors: kUnavailable, out of memory.
  absl::StatusOr<std::unique_ptr<Transport>> Accept(base::UniqueFd socket);
  // The same on a socket that stays the caller's. nullptr: out of memory.
  std::unique_ptr<TlsSession> Begin(int fd);

  // Reads the files now, and tells what came of it.
  void Reload();

  // When the certificate that is in use ends.
  base::Time expire_time() const { return expire_time_.load(); }

 private:
  struct ContextDeleter {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, ContextDeleter>;
  // What the files look like from outside; another when one was renewed.
  using Look = std::vector<std::string>;

  explicit TlsServer(Options options);
  absl::StatusOr<Context> Load() const;
  static Look LookAt(const TlsFiles& files);
  absl::Status RenewLocked() WATTMINT_REQUIRES(mutex_);
  // What there is to tell.
  std::optional<absl::Status> RenewIfChangedLocked() WATTMINT_REQUIRES(mutex_);

  const Options options_;
  const std::string offered_;  // options_.protocol as ALPN spells it
  base::Mutex mutex_;          // guards what the files are
  Context context_ WATTMINT_GUARDED_BY(mutex_);
  Look look_ WATTMINT_GUARDED_BY(mutex_);             // of the files in use
  absl::Status trouble_ WATTMINT_GUARDED_BY(mutex_);  // with those that are not
  std::chrono::steady_clock::time_point next_look_ WATTMINT_GUARDED_BY(mutex_){};
  std::atomic<base::Time> expire_time_{};
};

}  // namespace wattmint::door
