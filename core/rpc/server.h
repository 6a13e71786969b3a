// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/rpc/live_streams.h"
#include "core/rpc/server_options.h"

#include <absl/status/statusor.h>

#include <memory>
#include <vector>

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace wattmint::rpc {

class Entrance;

// The gRPC server with the services that it was given, health and reflection.
//
// Threads: Drain() and the destructor from one. Lifetime: services and `streams` must outlive it.
class Server {
 public:
  // Listens at once. Errors: kInvalidArgument for files that cannot be read, kUnavailable when
  // nothing can listen at the address (another server may).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       std::vector<grpc::Service*> services,
                                                       LiveStreams& streams,
                                                       base::RandomSource& random);
  // Drains.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  // How clients come in.
  const Entrance& entrance() const { return *entrance_; }

  // Tells every stream to reconnect later, refuses what is new, waits for what is at work, and
  // ends what has not ended by then. Blocks; doing so twice is the same.
  void Drain();

 private:
  Server(const ServerOptions& options, LiveStreams& streams, base::RandomSource& random);

  const ServerOptions options_;
  LiveStreams& streams_;
  base::RandomSource& random_;
  std::unique_ptr<Entrance> entrance_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace wattmint::rpc
