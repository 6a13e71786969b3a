// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/rpc/live_streams.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace wattmint::rpc {

// Where the core listens, and what it lets a client take.
struct ServerOptions {
  std::string address = "127.0.0.1:50051";  // port 0: any free one
  std::string tls_certificate_file;         // PEM; empty: no TLS
  std::string tls_key_file;
  std::size_t memory_bytes_max = 256 << 20;  // of everything that gRPC holds for clients
  int request_bytes_max = 8 << 20;
  int calls_per_connection_max = 1'000;
  base::Duration handshake_timeout = std::chrono::seconds(5);
  base::Duration idle_connection_max = std::chrono::minutes(10);
  base::Duration ping_interval_min = std::chrono::seconds(10);  // our own clients: every 30 s
  base::Duration drain_timeout = std::chrono::seconds(3);       // for streams to end by themselves
  // A draining server tells its clients to wait so long, spread over as much again.
  base::Duration reconnect_after = std::chrono::milliseconds(500);
};

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

  int port() const { return port_; }

  // Tells every stream to reconnect later, refuses what is new, waits for what is at work, and
  // ends what has not ended by then. Blocks; doing so twice is the same.
  void Drain();

 private:
  Server(const ServerOptions& options, LiveStreams& streams, base::RandomSource& random);

  const ServerOptions options_;
  LiveStreams& streams_;
  base::RandomSource& random_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace wattmint::rpc
