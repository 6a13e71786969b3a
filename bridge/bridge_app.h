// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/shards.h"
#include "core/access/audit_log.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/client/channel.h"
#include "core/client/credential.h"
#include "core/door/tls.h"
#include "core/stream/cursor.h"
#include "core/stream/hub.h"

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace wattmint::bridge {

struct BridgeOptions {
  WebSocketServer::Options server;  // where it listens, and limits; the app sets the rest
  door::TlsFiles tls;               // no certificate: in clear. Clients are asked for none
  SessionHostOptions host;
  std::size_t shards = 1;                                  // threads that sessions are on
  client::ChannelOptions core;                             // where the core is
  client::Credential relay;                                // of role relay
  stream::CursorSigner::Key cursor_key{};                  // the core's
  std::string metrics_address;                             // HOST:PORT; empty: none
  access::AuditLog::Sink audit_sink;                       // empty: the log of everything else
  stream::Hub::Options hub;                                // how much of the feed is kept in memory
  int core_calls_max = 4;                                  // at a time
  base::Duration stop_deadline = std::chrono::seconds(2);  // for clients to close
};

// The bridge, whole: follows the core, and tells browsers.
//
// Threads: any. Errors of Start(): those of Shards::Start(), BridgeTls::Open() and
// MetricsServer::Start(). A core that is not there is no error: it is tried again and again, and
// /readyz says so.
class BridgeApp {
 public:
  // Serves when it returns. `clock` and `random` are used on many threads and must outlive it.
  static absl::StatusOr<std::unique_ptr<BridgeApp>> Start(const BridgeOptions& options,
                                                          base::Clock& clock,
                                                          base::RandomSource& random);
  // Stops.
  ~BridgeApp();
  BridgeApp(const BridgeApp&) = delete;
  BridgeApp& operator=(const BridgeApp&) = delete;

  // Tells clients when to come back, closes, and ends. Blocks for BridgeOptions::stop_deadline and
  // the answers of the core that are under way at most; doing so twice is the same.
  void Stop();

  // Takes up certificate files that were renewed.
  void Reload();

  std::uint16_t port() const;
  int metrics_port() const;  // 0: none
  std::size_t connections() const;

 private:
  struct Parts;
  explicit BridgeApp(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace wattmint::bridge
