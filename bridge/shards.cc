// SPDX-License-Identifier: Apache-2.0
#include "bridge/shards.h"

#include "bridge/log.h"
#include "bridge/posting_core_link.h"
#include "bridge/session_registry.h"
#include "core/base/assert.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace wattmint::bridge {

// In the order in which they are made; they end the other way round.
struct Shards::Shard {
  Shard(const SessionHostOptions& options, const SessionHost::Shared& shared, CoreLink& core_link)
      : core(core_link, post), host(options, shared, core, post) {}

  const SessionRegistry::Post post = [this](std::function<void()> work) {
    server->Post(std::move(work));
  };
  PostingCoreLink core;
  SessionHost host;
  std::unique_ptr<WebSocketServer> server;
  std::thread thread;
};

Shards::Shards(Counters& counters) : counters_(counters) {}

Shards::~Shards() { Stop(base::Duration::zero()); }

absl::StatusOr<std::unique_ptr<Shards>> Shards::Start(const Options& options,
                                                      const SessionHost::Shared& shared,
                                                      CoreLink& core) {
  WATTMINT_ASSERT(options.count >= 1, "{} shards", options.count);
  std::unique_ptr<Shards> shards(new Shards(shared.counters));
  std::vector<WebSocketHandler*> hosts;
  for (std::size_t i = 0; i < options.count; ++i) {
    shards->shards_.push_back(std::make_unique<Shard>(options.host, shared, core));
    hosts.push_back(&shards->shards_.back()->host);
  }
  WATTMINT_ASSIGN_OR_RETURN(auto servers, WebSocketServer::ListenAll(options.server, hosts));
  for (std::size_t i = 0; i < options.count; ++i) {
    shards->shards_[i]->server = std::move(servers[i]);
  }
  for (const auto& shard : shards->shards_) {
    shard->thread = std::thread([&server = *shard->server] { server.Run(); });
  }
  return shards;
}

template <typename Tell>
void Shards::TellAll(const Tell& tell) {
  for (const auto& shard : shards_) {
    shard->server->Post([&host = shard->host, tell] { tell(host); });
  }
}

void Shards::OnUpstreamConnected(const std::string& epoch, std::int64_t head) {
  if (!epoch_.empty() && epoch_ != epoch) {
    BridgeLog()->warn("the core has another log now; sessions start anew");
  }
  epoch_ = epoch;
  TellAll([epoch, head](SessionHost& host) { host.OnUpstreamConnected(epoch, head); });
  counters_.upstream_head = head;
  counters_.is_upstream_connected = true;
}

void Shards::OnUpstreamLost() {
  counters_.is_upstream_connected = false;
  TellAll([](SessionHost& host) { host.OnUpstreamLost(); });
}

void Shards::OnUpstreamHeard(std::int64_t head) {
  TellAll([head](SessionHost& host) { host.OnUpstreamHeard(head); });
  counters_.upstream_head = std::max(counters_.upstream_head.load(), head);
}

void Shards::OnKeyRevoked(const std::string& key_id) {
  TellAll([key_id](SessionHost& host) { host.OnKeyRevoked(key_id); });
}

void Shards::OnUnknownEvent(std::int64_t sequence) {
  if (counters_.unknown_events++ > 0) return;
  BridgeLog()->error(
      "event {} is of a type that this bridge does not know, and goes to admins alone: "
      "update the bridge",
      sequence);
}

void Shards::Stop(base::Duration deadline) {
  for (const auto& shard : shards_) {
    if (!shard->thread.joinable()) continue;
    shard->server->Post([&host = shard->host] { host.Drain(); });
    shard->server->Stop(std::chrono::duration_cast<std::chrono::milliseconds>(deadline));
  }
  for (const auto& shard : shards_) {
    if (shard->thread.joinable()) shard->thread.join();
  }
}

std::uint16_t Shards::port() const { return shards_.front()->server->port(); }

std::size_t Shards::connections() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) count += shard->server->connections();
  return count;
}

}  // namespace wattmint::bridge
