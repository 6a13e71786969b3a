// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_app.h"

#include "bridge/asyncapi.h"
#include "bridge/bridge_metrics.h"
#include "bridge/bridge_tls.h"
#include "bridge/grpc_core_link.h"
#include "bridge/tail_only_log.h"
#include "bridge/upstream.h"
#include "core/base/metrics_server.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"

#include <spdlog/spdlog.h>

#include <string>
#include <thread>
#include <utility>

namespace wattmint::bridge {
namespace {

void LogAudit(std::string_view line) { spdlog::info("audit: {}", line); }

std::string AddressOf(const WebSocketServer::Options& server) {
  const bool is_bare_ipv6 = server.host.find(':') != std::string::npos && server.host[0] != '[';
  const std::string host = is_bare_ipv6 ? "[" + server.host + "]" : server.host;
  return host + ":" + std::to_string(server.port);
}

}  // namespace

// In the order in which they are made; they end the other way round.
struct BridgeApp::Parts {
  Parts(const BridgeOptions& given, base::Clock& clock, base::RandomSource& random)
      : options(given),
        channel(client::OpenChannel(given.core)),
        signer(given.cursor_key),
        hub(log, wire::DecodeAttributes, 0, given.hub),
        core(channel, given.relay, given.core_calls_max),
        audit("bridge", access::AuditLog::KeyOf(given.cursor_key), clock,
              given.audit_sink ? given.audit_sink : LogAudit),
        messages(ServerMessages::InAll(clock)),
        shared{clock, random, hub, signer, audit, counters, channels, messages} {}

  const BridgeOptions options;
  const std::shared_ptr<grpc::Channel> channel;  // shared: gRPC's own
  const stream::CursorSigner signer;
  TailOnlyLog log;
  stream::Hub hub;
  GrpcCoreLink core;
  access::AuditLog audit;
  Counters counters;
  ChannelCounts channels;
  const ByEncoding<ServerMessages> messages;
  const SessionHost::Shared shared;
  std::unique_ptr<BridgeTls> tls;  // nullptr: in clear
  std::unique_ptr<base::MetricsServer> metrics;
  std::unique_ptr<Shards> shards;
  std::unique_ptr<Upstream> upstream;
  std::thread upstream_thread;
};

absl::StatusOr<std::unique_ptr<BridgeApp>> BridgeApp::Start(const BridgeOptions& options,
                                                            base::Clock& clock,
                                                            base::RandomSource& random) {
  Shards::Options shards{.count = options.shards, .server = options.server, .host = options.host};
  shards.server.subprotocols = Subprotocols();
  shards.host.sessions.frame_bytes_max = options.server.frame_bytes_max;
  shards.host.asyncapi = AsyncApiDocument(shards.host.sessions);
  auto parts = std::make_unique<Parts>(options, clock, random);
  WATTMINT_ASSIGN_OR_RETURN(
      parts->tls, BridgeTls::Open(options.tls, AddressOf(options.server), parts->counters));
  if (parts->tls != nullptr) shards.server.tls = parts->tls->Begin();
  if (!options.metrics_address.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(
        parts->metrics,
        base::MetricsServer::Start({.address = options.metrics_address}, [&parts = *parts] {
          return MetricsPage(parts.counters, parts.audit);
        }));
  }
  WATTMINT_ASSIGN_OR_RETURN(parts->shards, Shards::Start(shards, parts->shared, parts->core));
  parts->upstream =
      std::make_unique<Upstream>(parts->channel, options.relay, parts->hub, *parts->shards);
  parts->upstream_thread = std::thread([&upstream = *parts->upstream] { upstream.Run(); });
  return std::unique_ptr<BridgeApp>(new BridgeApp(std::move(parts)));
}

BridgeApp::BridgeApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

BridgeApp::~BridgeApp() { Stop(); }

void BridgeApp::Stop() {
  if (!parts_->upstream_thread.joinable()) return;
  parts_->upstream->Stop();
  parts_->upstream_thread.join();
  parts_->shards->Stop(parts_->options.stop_deadline);
  parts_->core.Stop();
}

void BridgeApp::Reload() {
  if (parts_->tls != nullptr) parts_->tls->Reload();
}

std::uint16_t BridgeApp::port() const { return parts_->shards->port(); }

int BridgeApp::metrics_port() const {
  return parts_->metrics == nullptr ? 0 : parts_->metrics->port();
}

std::size_t BridgeApp::connections() const { return parts_->shards->connections(); }

}  // namespace wattmint::bridge
