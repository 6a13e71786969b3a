// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/child_program.h"
#include "core/client/credential.h"

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bench {

// A server of its own process, and what it has cost so far.
class Server {
 public:
  // The whole core on new files, nothing minted; a message of a stream has at most so many events.
  static std::unique_ptr<Server> Core(int events_per_message = 2'000);
  // cli/bare_server.h.
  static std::unique_ptr<Server> Bare(int events_per_batch, int events_per_message);
  // A bridge of that core for so many connections, all of one address. `port` 0: any.
  static std::unique_ptr<Server> Bridge(const Server& core, int connections, int port = 0,
                                        int shards = 1);
  // tests/bench/bare_websocket.h.
  static std::unique_ptr<Server> BareWebSocket(std::int64_t payload_bytes, int port = 0);
  // Another program that does the same, such as those of tests/bench/peers: its words, and then the
  // text of an event. It says the port where it serves and the one where it is ruled.
  static std::unique_ptr<Server> Peer(const std::string& command, std::int64_t payload_bytes);
  // tests/bench/bare_tcp.h.
  static std::unique_ptr<Server> BareTcp(int connections, int messages, int events_per_message);

  bool is_core() const { return !key_.empty(); }
  int port() const { return port_; }
  int control_port() const { return control_port_; }
  client::Credential credential() const;
  // Of an admin; empty: it asks for none.
  const std::string& key() const { return key_; }
  // A connection of its own, which is there.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  double CpuSeconds() const { return child_->CpuSeconds(); }
  double ResidentMebibytes() const;

 private:
  explicit Server(const std::vector<std::string>& arguments);

  std::unique_ptr<cli::ChildProgram> child_;
  int port_ = 0;
  int control_port_ = 0;  // of a bare WebSocket server, or a peer
  std::string key_;
  std::string relay_key_;  // of a core
};

// The child's side of Server: serves what its arguments name. False if they name none.
bool ServeAsChild(const std::vector<std::string_view>& arguments);

}  // namespace wattmint::bench
