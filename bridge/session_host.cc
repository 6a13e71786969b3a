// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_host.h"

#include "bridge/http_text.h"
#include "bridge/session.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace wattmint::bridge {

SessionHost::SessionHost(const SessionHostOptions& options, base::Clock& clock,
                         base::RandomSource& random, CoreLink& core, stream::Hub& hub,
                         const stream::CursorSigner& signer, SessionRegistry::Post post)
    : options_(options),
      clock_(clock),
      random_(random),
      core_(core),
      heard_at_(clock.Steady()),
      status_at_(clock.Steady() + options.status_interval),
      messages_(clock),
      registry_(std::move(post)),
      http_(core, upstream_, clock, [this] { return registry_.size(); }),
      context_{options_.sessions, clock,     core,      hub,       signer,
               frames_,           messages_, registry_, upstream_, revoked_keys_} {}

void SessionHost::OnHttpRequest(const HttpRequest& request, HttpReply reply) {
  http_.Handle(request, std::move(reply));
}

bool SessionHost::IsAllowedOrigin(std::string_view origin) const {
  return origin.empty() || options_.allowed_origins.empty() ||
         std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
}

void SessionHost::OnUpgrade(const HttpRequest& request, UpgradeReply reply) {
  if (PathOf(request.target) != "/ws") {
    return reply(ErrorResponse(404, "NOT_FOUND", "WebSockets are at /ws"));
  }
  if (!IsAllowedOrigin(request.Header("Origin"))) {
    return reply(ErrorResponse(403, "ORIGIN_DENIED", "pages of this origin are not allowed here"));
  }
  client::Credential credential = UpgradeCredential(request, options_.query_secrets);
  if (credential.kind == client::Credential::Kind::kNone) {
    return reply(std::make_unique<Session>(context_, std::nullopt));
  }
  core_.Authenticate(std::move(credential),
                     [this, reply](absl::StatusOr<access::Principal> principal) {
                       Accept(std::move(principal), reply);
                     });
}

void SessionHost::Accept(absl::StatusOr<access::Principal> principal, const UpgradeReply& reply) {
  if (!principal.ok()) return reply(ToResponse(principal.status()));
  reply(std::make_unique<Session>(context_, *std::move(principal)));
}

void SessionHost::OnTick() {
  const auto now = clock_.Steady();
  upstream_.lag = upstream_.is_connected
                      ? base::Duration::zero()
                      : std::chrono::duration_cast<base::Duration>(now - heard_at_);
  registry_.ForEach([](Session& session) { session.OnTick(); });
  if (now >= status_at_) BroadcastStatus();
}

void SessionHost::OnUpstreamConnected(const std::string& epoch, std::int64_t head) {
  const bool is_replaced = !upstream_.epoch.empty() && upstream_.epoch != epoch;
  const bool was_lost = !upstream_.epoch.empty() && !upstream_.is_connected;
  upstream_ = {.is_connected = true, .epoch = epoch, .head_sequence = head, .lag = {}};
  heard_at_ = clock_.Steady();
  if (is_replaced) {
    spdlog::warn("bridge: the core has another log now; sessions start anew");
    frames_.Clear();
    registry_.ForEach([](Session& session) { session.OnLogReplaced(); });
  }
  if (!was_lost) return;
  Broadcast(Channel::Kind::kSystemAlerts,
            messages_.Notification("info", "the core is connected again"));
  BroadcastStatus();
}

void SessionHost::OnUpstreamLost() {
  if (!std::exchange(upstream_.is_connected, false)) return;
  Broadcast(Channel::Kind::kSystemAlerts,
            messages_.Notification("warning", "the core is not connected; events come later"));
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

void SessionHost::Broadcast(Channel::Kind channel, const SharedFrame& frame) {
  registry_.ForEach([&](Session& session) { session.Broadcast(channel, frame); });
}

void SessionHost::BroadcastStatus() {
  status_at_ = clock_.Steady() + options_.status_interval;
  Broadcast(Channel::Kind::kSystem, messages_.SystemStatus(registry_.size(), upstream_));
}

}  // namespace wattmint::bridge
