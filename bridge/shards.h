// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/session_host.h"
#include "bridge/websocket_server.h"
#include "core/base/clock.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::bridge {

// All sessions of a bridge, on one thread or several. A shard is a thread with an event loop, a
// host, and what its sessions share: groups and frames. Nothing of one shard is touched by another:
// they have in common only what is safe for any thread.
//
// One port leads to all of them, and each has as many connections as the others. Threads: any, but
// what the upstream tells comes from one at a time. Lifetime: what is passed to Start() must
// outlive it; `core` must have given its last answer before this ends.
class Shards {
 public:
  struct Options {
    std::size_t count = 1;            // at least 1
    WebSocketServer::Options server;  // its limits hold for all shards together
    SessionHostOptions host;
  };
  // Serves when it returns. `core` answers on any thread. Errors: those of
  // WebSocketServer::ListenAll().
  static absl::StatusOr<std::unique_ptr<Shards>> Start(const Options& options,
                                                       const SessionHost::Shared& shared,
                                                       CoreLink& core);
  // Stops at once.
  ~Shards();
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  // As SessionHost has them: each shard is told, and the counters say it once all were.
  void OnUpstreamConnected(const std::string& epoch, std::int64_t head);
  void OnUpstreamLost();
  void OnUpstreamHeard(std::int64_t head);
  void OnKeyRevoked(const std::string& key_id);
  // A live event came that this bridge is too old to read. Counted; logged once.
  void OnUnknownEvent(std::int64_t sequence);

  // Takes no more connections, tells every client when to come back, closes all, and returns when
  // the threads have ended: after `deadline` or little more. Again: no effect. REQUIRES: the
  // upstream tells nothing any more.
  void Stop(base::Duration deadline);

  std::uint16_t port() const;
  std::size_t connections() const;  // of all, open WebSockets

 private:
  struct Shard;
  explicit Shards(Counters& counters);

  template <typename Tell>
  void TellAll(const Tell& tell);

  Counters& counters_;
  std::string epoch_;                           // of the upstream's thread: what it told last
  std::vector<std::unique_ptr<Shard>> shards_;  // the first accepts for all
};

}  // namespace wattmint::bridge
