// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_host.h"

#include "bridge/bridge_metrics.h"
#include "bridge/http_text.h"
#include "core/base/status.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr int kAnonymousRetrySeconds = 10;  // as long as they have for it

}  // namespace

SessionHost::SessionHost(const SessionHostOptions& options, const Shared& shared, CoreLink& core,
                         SessionRegistry::Post post)
    : options_(options),
      clock_(shared.clock),
      random_(shared.random),
      core_(core),
      heard_at_(clock_.Steady()),
      status_at_(clock_.Steady() + options.status_interval),
      counters_(shared.counters),
      audit_(shared.audit),
      messages_(shared.messages),
      groups_(shared.hub, clock_, frames_, counters_,
              {.events_max = options.sessions.page_events_max,
               .bytes_max = options.sessions.page_bytes_max,
               .pending_bytes_max = options.sessions.queue_bytes_max,
               .compressed_bytes_min = options.sessions.compressed_bytes_min},
              std::move(post)),
      http_({core, clock_, upstream_, counters_, shared.channels, audit_,
             [this] { return MetricsPage(counters_, audit_); }, options_.asyncapi}),
      context_{options_.sessions, clock_,    core_,     shared.hub,     shared.signer,
               frames_,           messages_, registry_, groups_,        upstream_,
               revoked_keys_,     audit_,    counters_, shared.channels} {}

void SessionHost::OnHttpRequest(const HttpRequest& request, HttpReply reply) {
  http_.Handle(request, std::move(reply));
}

bool SessionHost::IsAllowedOrigin(std::string_view origin) const {
  return origin.empty() || options_.allowed_origins.empty() ||
         std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
}

void SessionHost::OnUpgrade(const HttpRequest& request, UpgradeReply reply) {
  if (!IsUpgradePath(PathOf(request.target))) {
    ++counters_.upgrades_refused;
    return reply(ErrorResponse(404, "NOT_FOUND", "WebSockets are at /ws"));
  }
  if (!IsAllowedOrigin(request.Header("Origin"))) {
    return Refuse(base::PermissionDenied("an origin that is not allowed"),
                  ErrorResponse(403, "ORIGIN_DENIED", "pages of this origin are not allowed here"),
                  reply);
  }
  const std::optional<Delivery> delivery = DeliveryOf(request, options_.delivery_interval);
  if (!delivery) {
    ++counters_.upgrades_refused;
    return reply(ErrorResponse(400, "BAD_REQUEST", "batch_ms is a number from 0 to 60000"));
  }
  SessionStart start{.delivery = *delivery,
                     .channels = QueryValue(request.target, "subscribe").value_or("")};
  client::Credential credential = UpgradeCredential(request, options_.query_secrets);
  if (credential.kind == client::Credential::Kind::kNone) {
    if (counters_.sessions_unauthenticated >= options_.unauthenticated_max) {
      ++counters_.upgrades_refused;
      return reply(RetryResponse(503, "TOO_MANY_CONNECTIONS",
                                 "too many have yet to tell who they are: bring a credential",
                                 kAnonymousRetrySeconds));
    }
    return reply(std::make_unique<Session>(context_, std::move(start), std::nullopt));
  }
  start.credential = credential;
  core_.Authenticate(std::move(credential), [this, start = std::move(start),
                                             reply](absl::StatusOr<access::Principal> principal) {
    Accept(std::move(principal), start, reply);
  });
}

void SessionHost::Accept(absl::StatusOr<access::Principal> principal, const SessionStart& start,
                         const UpgradeReply& reply) {
  if (!principal.ok()) return Refuse(principal.status(), ToResponse(principal.status()), reply);
  reply(std::make_unique<Session>(context_, start, *std::move(principal)));
}

void SessionHost::Refuse(const absl::Status& why, HttpResponse response,
                         const UpgradeReply& reply) {
  ++counters_.upgrades_refused;
  audit_.Refused("GET /ws", nullptr, why);
  reply(std::move(response));
}

void SessionHost::OnTick() {
  const auto now = clock_.Steady();
  upstream_.lag = upstream_.is_connected
                      ? base::Duration::zero()
                      : std::chrono::duration_cast<base::Duration>(now - heard_at_);
  counters_.upstream_lag_us = upstream_.lag.count();
  registry_.Tick(now);
  groups_.OnTick();
  if (now >= status_at_) BroadcastStatus();
}

void SessionHost::OnLimit(ServerLimit limit) {
  ++counters_.limits[static_cast<std::size_t>(limit)];
}

void SessionHost::OnUpstreamConnected(const std::string& epoch, std::int64_t head) {
  const bool is_replaced = !upstream_.epoch.empty() && upstream_.epoch != epoch;
  const bool was_lost = !upstream_.epoch.empty() && !upstream_.is_connected;
  if (upstream_.epoch != epoch) frames_.Reset(epoch);
  upstream_ = {.is_connected = true, .epoch = epoch, .head_sequence = head, .lag = {}};
  heard_at_ = clock_.Steady();
  if (is_replaced) registry_.ForEach([](Session& session) { session.OnLogReplaced(); });
  if (!was_lost) return;
  Broadcast(Channel::Kind::kSystemAlerts, [](const ServerMessages& messages) {
    return messages.SystemAlert(domain::Severity::kInfo, "the core is connected again");
  });
  BroadcastStatus();
}

void SessionHost::OnUpstreamLost() {
  if (!std::exchange(upstream_.is_connected, false)) return;
  Broadcast(Channel::Kind::kSystemAlerts, [](const ServerMessages& messages) {
    return messages.SystemAlert(domain::Severity::kWarning,
                                "the core is not connected; events come later");
  });
  BroadcastStatus();
}

void SessionHost::OnUpstreamHeard(std::int64_t head) {
  upstream_.head_sequence = std::max(upstream_.head_sequence, head);
  heard_at_ = clock_.Steady();
}

void SessionHost::OnKeyRevoked(const std::string& key_id) {
  revoked_keys_.insert(key_id);
  registry_.ForEach([&](Session& session) { session.OnKeyRevoked(key_id); });
}

void SessionHost::Drain() {
  const auto spread = options_.reconnect_after_max - options_.reconnect_after_min;
  registry_.ForEach([&](Session& session) {
    const auto share = static_cast<std::int64_t>(random_.NextBelow(1'000));
    session.Drain(options_.reconnect_after_min + spread * share / 1'000);
  });
}

template <typename Make>
void SessionHost::Broadcast(Channel::Kind channel, Make make) {
  ByEncoding<SharedFrame> frames;
  std::ranges::transform(messages_, frames.begin(), make);
  registry_.ForEach([&](Session& session) { session.Broadcast(channel, frames); });
}

void SessionHost::BroadcastStatus() {
  status_at_ = clock_.Steady() + options_.status_interval;
  Broadcast(Channel::Kind::kSystem, [this](const ServerMessages& messages) {
    return messages.SystemStatus(static_cast<std::size_t>(counters_.sessions_open), upstream_);
  });
}

}  // namespace wattmint::bridge
