// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/channel_counts.h"
#include "bridge/core_link.h"
#include "bridge/counters.h"
#include "bridge/event_frames.h"
#include "bridge/http_handler.h"
#include "bridge/live_group.h"
#include "bridge/request_credential.h"
#include "bridge/server_messages.h"
#include "bridge/session.h"
#include "bridge/session_context.h"
#include "bridge/session_registry.h"
#include "bridge/websocket_server.h"
#include "core/access/audit_log.h"
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
  // Sessions at a time that have yet to tell who they are: they need no credential, and shall not
  // take the place of those who have one.
  std::int64_t unauthenticated_max = 2'500;
  std::string asyncapi;  // the document of asyncapi.h, for GET /asyncapi.json
  base::Duration status_interval = std::chrono::seconds(30);
  base::Duration delivery_interval{};  // Delivery::interval of each session, at least
  // Clients are told to come back after a time of their own between these two.
  base::Duration reconnect_after_min = std::chrono::milliseconds(500);
  base::Duration reconnect_after_max = std::chrono::seconds(5);
};

// Everything that happens on one thread of sessions: requests, sessions, and what the upstream
// tells. A bridge has one host or several, and a session's host makes no difference to it.
//
// Threads: the owner's. Lifetime: everything passed to the constructor must outlive it, and the
// server must have ended before it.
class SessionHost final : public WebSocketHandler {
 public:
  // What all hosts of a bridge have together. Threads: any, of each.
  struct Shared {
    base::Clock& clock;
    base::RandomSource& random;
    stream::Hub& hub;
    const stream::CursorSigner& signer;
    access::AuditLog& audit;
    Counters& counters;
    ChannelCounts& channels;
    const ByEncoding<ServerMessages>& messages;
  };

  // `post` runs work on the owner's thread; it is called from any. `core` answers there.
  SessionHost(const SessionHostOptions& options, const Shared& shared, CoreLink& core,
              SessionRegistry::Post post);

  void OnHttpRequest(const HttpRequest& request, HttpReply reply) override;
  void OnUpgrade(const HttpRequest& request, UpgradeReply reply) override;
  void OnTick() override;
  void OnLimit(ServerLimit limit) override;

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
  void Accept(absl::StatusOr<access::Principal> principal, const SessionStart& start,
              const UpgradeReply& reply);
  // Turns an upgrade away.
  void Refuse(const absl::Status& why, HttpResponse response, const UpgradeReply& reply);
  // `make(messages)`: the frame in one encoding.
  template <typename Make>
  void Broadcast(Channel::Kind channel, Make make);
  void BroadcastStatus();

  const SessionHostOptions options_;
  base::Clock& clock_;
  base::RandomSource& random_;
  CoreLink& core_;
  UpstreamState upstream_;
  std::chrono::steady_clock::time_point heard_at_;
  std::chrono::steady_clock::time_point status_at_;
  std::unordered_set<std::string> revoked_keys_;  // key ids, which are never used again
  Counters& counters_;
  access::AuditLog& audit_;
  EventFrames frames_;
  const ByEncoding<ServerMessages>& messages_;
  SessionRegistry registry_;
  LiveGroups groups_;
  HttpHandler http_;
  const SessionContext context_;
};

}  // namespace wattmint::bridge
