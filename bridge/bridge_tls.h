// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/counters.h"
#include "core/door/tls.h"

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>

namespace wattmint::bridge {

// TLS of the bridge's port, for HTTP/1.1 alone. What becomes of renewed files is logged, and the
// end of the certificate is counted.
//
// Threads: any. Lifetime: it must outlive its sessions; `counters` must outlive it.
class BridgeTls {
 public:
  // Without files nullptr: all is in clear, which beyond loopback a warning tells. `address`:
  // HOST:PORT, where the bridge listens. Errors: kInvalidArgument for the files.
  static absl::StatusOr<std::unique_ptr<BridgeTls>> Open(const door::TlsFiles& files,
                                                         const std::string& address,
                                                         Counters& counters);

  // For WebSocketServer::Options.
  std::function<std::unique_ptr<door::TlsSession>(int fd)> Begin() {
    return [this](int fd) { return server_->Begin(fd); };
  }
  // Takes up the files as they are now; those that cannot be used change nothing.
  void Reload() { server_->Reload(); }

 private:
  explicit BridgeTls(Counters& counters) : counters_(counters) {}
  void OnRenewed(const absl::Status& status);
  void CountEnd();

  Counters& counters_;
  std::unique_ptr<door::TlsServer> server_;
};

}  // namespace wattmint::bridge
