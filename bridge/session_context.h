// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/channel_counts.h"
#include "bridge/core_link.h"
#include "bridge/counters.h"
#include "bridge/event_frames.h"
#include "bridge/inbound_limiter.h"
#include "bridge/live_group.h"
#include "bridge/server_messages.h"
#include "bridge/session_registry.h"
#include "bridge/subscription_set.h"
#include "core/access/audit_log.h"
#include "core/base/clock.h"
#include "core/stream/cursor.h"
#include "core/stream/hub.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_set>

namespace wattmint::bridge {

struct SessionOptions {
  SubscriptionLimits subscriptions;
  InboundLimits inbound;
  base::Duration authenticate_within = std::chrono::seconds(10);
  base::Duration heartbeat = std::chrono::seconds(15);
  base::Duration expiry_warning = std::chrono::seconds(60);
  base::Duration history_retry = std::chrono::seconds(1);
  std::size_t frame_bytes_max = 16 * 1024;     // as the server's; told to the client
  std::size_t queue_bytes_max = 256 * 1024;    // waiting for one socket: no more events then
  std::size_t unread_bytes_max = 1024 * 1024;  // and no more answers: it is closed
  std::size_t page_events_max = 128;           // looked at between two looks at the queue
  std::size_t page_bytes_max = 32 * 1024;      // of payload, some 64 KiB as JSON
  std::size_t compressed_bytes_min = 128;      // smaller events are sent plain to everybody
};

// What all sessions of one thread share. Everything outlives them.
struct SessionContext {
  const SessionOptions& options;
  base::Clock& clock;
  CoreLink& core;
  stream::Hub& hub;  // reads only what is in its tail: its log refuses
  const stream::CursorSigner& signer;
  EventFrames& frames;
  const ByEncoding<ServerMessages>& messages;
  SessionRegistry& registry;
  LiveGroups& groups;
  const UpstreamState& upstream;
  const std::unordered_set<std::string>& revoked_keys;  // key ids
  access::AuditLog& audit;
  Counters& counters;
  ChannelCounts& channels;
};

}  // namespace wattmint::bridge
