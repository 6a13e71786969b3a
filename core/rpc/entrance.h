// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/unique_fd.h"
#include "core/door/front_door.h"
#include "core/door/tls.h"
#include "core/rpc/server_options.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <optional>

namespace wattmint::rpc {

// How clients come in. On loopback and without TLS they come straight to gRPC; else through a front
// door, which takes TLS off, polices their frames and hands them on in clear. README.md says what
// each protects from.
//
// Threads: one; the counters and the time from any.
class Entrance {
 public:
  // Tells `builder` where clients will come from. Errors: kInvalidArgument for files that cannot be
  // used; kUnavailable for an address that is none.
  static absl::StatusOr<std::unique_ptr<Entrance>> Prepare(const ServerOptions& options,
                                                           grpc::ServerBuilder& builder);
  Entrance(const Entrance&) = delete;
  Entrance& operator=(const Entrance&) = delete;

  // Lets clients in, once the server runs. Errors: kUnavailable when nothing can listen there.
  absl::Status Open();
  int port() const;

  // Nobody comes in any more; gRPC closes a port of its own by itself.
  void StopAccepting();
  // Gives clients a moment to take the last bytes of a server that has ended. Blocks.
  void Close();

  // What goes through the front door; nullptr if there is none.
  const door::DoorCounters* counters() const;
  // When the certificate in use ends; nothing without TLS.
  std::optional<base::Time> certificate_expire_time() const;

 private:
  explicit Entrance(const ServerOptions& options) : options_(options) {}
  void HandOn(base::UniqueFd socket);

  const ServerOptions options_;
  int grpc_port_ = 0;
  std::unique_ptr<door::TlsServer> tls_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<door::FrontDoor> door_;
};

}  // namespace wattmint::rpc
