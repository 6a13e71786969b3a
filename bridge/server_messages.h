// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/encoding.h"
#include "bridge/json_writer.h"
#include "bridge/protocol.h"
#include "bridge/server_message_shapes.h"
#include "bridge/websocket_server.h"
#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/domain/mint_task.h"
#include "core/domain/severity.h"

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// As messages count time: whole milliseconds, towards zero.
std::int64_t Milliseconds(base::Duration duration);

// How the core stands, as far as the bridge knows.
struct UpstreamState {
  bool is_connected = false;
  std::string epoch;  // of the log; empty before the first connection
  std::int64_t head_sequence = 0;
  base::Duration lag{};  // since the last word of the core, while it is lost
  std::string_view Name() const { return is_connected ? "connected" : "lost"; }
};

// The frames of the server's messages in one encoding: bridge/README.md, "Server messages". Members
// that need more than their values are built by the caller. Threads: any.
class ServerMessages {
 public:
  ServerMessages(base::Clock& clock, Encoding encoding);

  // In every encoding, by encoding.
  static ByEncoding<ServerMessages> InAll(base::Clock& clock);

  struct SessionLimits {
    std::size_t subscriptions = 0;
    std::size_t object_subscriptions = 0;
    std::size_t user_subscriptions = 0;
    std::size_t frame_bytes = 0;
    int frames_per_minute = 0;
  };
  // `authenticate_within` zero: authenticated already.
  SharedFrame Connected(std::string_view connection_id, base::Duration authenticate_within,
                        const SessionLimits& limits) const;
  SharedFrame Authenticated(std::string_view id, const access::Principal& principal) const;

  struct Subscription {
    std::vector<std::string> channels;            // in filter mode unused
    const domain::EventFilter* filter = nullptr;  // nullptr: channel mode
    std::vector<std::string> added;
    std::string cursor;  // empty: no events are subscribed
    std::string epoch;
    std::int64_t head_sequence = 0;
    bool is_replaying = false;
  };
  SharedFrame Subscribed(std::string_view id, const Subscription& subscription) const;
  SharedFrame Unsubscribed(std::string_view id, const std::vector<std::string>& remaining,
                           const std::vector<std::string>& removed, std::string_view cursor) const;

  SharedFrame Heartbeat(std::string_view cursor, std::int64_t delivered,
                        const UpstreamState& upstream) const;
  SharedFrame CaughtUp(std::string_view cursor, std::int64_t sequence) const;
  SharedFrame FellBehind(std::int64_t delivered, std::int64_t head) const;
  SharedFrame Draining(base::Duration reconnect_after, std::string_view cursor) const;
  SharedFrame CredentialExpiring(base::Time expires_at) const;
  // A part of a job's tasks, as they are at `sequence`; `more` parts follow.
  SharedFrame JobSnapshot(std::string_view job_id, std::int64_t sequence,
                          std::span<const domain::MintTask> tasks, bool more) const;
  SharedFrame ReadingSubmitted(std::string_view id, const SubmitAnswer& answer) const;
  SharedFrame Pong(std::string_view id, std::string_view timestamp) const;
  SharedFrame RateLimitWarning(int used, int limit) const;
  SharedFrame SystemStatus(std::size_t connections, const UpstreamState& upstream) const;
  // Of the bridge itself: of the kind "upstream", and no event.
  SharedFrame SystemAlert(domain::Severity severity, std::string_view message) const;
  SharedFrame Error(const ProtocolError& error) const;

 private:
  template <typename Fill>
  SharedFrame Make(ServerMessageName type, std::string_view id, Fill fill) const;

  base::Clock& clock_;
  const Encoding encoding_;
  const std::string source_;                     // for kCloudEvents
  mutable std::atomic<std::int64_t> count_ = 0;  // of the messages that were made
};

}  // namespace wattmint::bridge
