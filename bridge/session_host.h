// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/event_frames.h"
#include "bridge/http_handler.h"
#include "bridge/request_credential.h"
#include "bridge/server_messages.h"
#include "bridge/session_context.h"
#include "bridge/session_registry.h"
#include "bridge/websocket_server.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/stream/cursor.h"
#include "core/stream/hub.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace wattmint::bridge {

struct SessionHostOptions {
  SessionOptions sessions;
  // Pages of which origins may open WebSockets; empty: of all. Clients that name none may always.
  std::vector<std::string> allowed_origins;
  QuerySecrets query_secrets = QuerySecrets::kIgnore;
  base::Duration status_interval = std::chrono::seconds(30);
  // Clients are told to come back after a time of their own between these two.
  base::Duration reconnect_after_min = std::chrono::milliseconds(500);
  base::Duration reconnect_after_max = std::chrono::seconds(5);
};

// Everything that happens on the thread of the sessions: requests, sessions, and what the upstream
// tells.
//
// Threads: the owner's. Lifetime: everything passed to the constructor must outlive it, and the
// server must have ended before it.
class SessionHost final : public WebSocketHandler {
 public:
  // `post` runs work on the owner's thread; it is called from any.
  SessionHost(const SessionHostOptions& options, base::Clock& clock, base::RandomSource& random,
              CoreLink& core, stream::Hub& hub, const stream::CursorSigner& signer,
              SessionRegistry::Post post);

  void OnHttpRequest(const HttpRequest& request, HttpReply reply) override;
  void OnUpgrade(const HttpRequest& request, UpgradeReply reply) override;
  void OnTick() override;

  // The upstream is connected, to a log of that epoch. If it is another log than before, the
  // sessions end.
  void OnUpstreamConnected(const std::string& epoch, std::int64_t head);
  void OnUpstreamLost();
  // A sign of life of the upstream; its log has grown to `head`.
  void OnUpstreamHeard(std::int64_t head);
  void OnKeyRevoked(const std::string& key_id);
  // Tells every client to come back later.
  void Drain();

  const UpstreamState& upstream() const { return upstream_; }

 private:
  bool IsAllowedOrigin(std::string_view origin) const;
  void Accept(absl::StatusOr<access::Principal> principal, const UpgradeReply& reply);
  void Broadcast(Channel::Kind channel, const SharedFrame& frame);
  void BroadcastStatus();

  const SessionHostOptions options_;
  base::Clock& clock_;
  base::RandomSource& random_;
  CoreLink& core_;
  UpstreamState upstream_;
  std::chrono::steady_clock::time_point heard_at_;
  std::chrono::steady_clock::time_point status_at_;
  std::unordered_set<std::string> revoked_keys_;  // key ids, which are never used again
  EventFrames frames_;
  const ServerMessages messages_;
  SessionRegistry registry_;
  HttpHandler http_;
  const SessionContext context_;
};

}  // namespace wattmint::bridge
