// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_app.h"

#include "bridge/grpc_core_link.h"
#include "bridge/tail_only_log.h"
#include "bridge/upstream.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace wattmint::bridge {

// In the order in which they are made; they end the other way round.
struct BridgeApp::Parts {
  Parts(const BridgeOptions& given, base::Clock& clock, base::RandomSource& random)
      : options(given),
        channel(client::OpenChannel(given.core)),
        signer(given.cursor_key),
        hub(log, wire::DecodeAttributes, 0, given.hub),
        core(channel, given.relay, post, given.core_calls_max),
        host(options.host, clock, random, core, hub, signer, post),
        upstream(channel, given.relay, hub, host, post) {}

  const BridgeOptions options;
  const SessionRegistry::Post post = [this](std::function<void()> work) {
    server->Post(std::move(work));
  };
  const std::shared_ptr<grpc::Channel> channel;  // shared: gRPC's own
  const stream::CursorSigner signer;
  TailOnlyLog log;
  stream::Hub hub;
  GrpcCoreLink core;
  SessionHost host;
  Upstream upstream;
  std::unique_ptr<WebSocketServer> server;
  std::thread server_thread;
  std::thread upstream_thread;
};

absl::StatusOr<std::unique_ptr<BridgeApp>> BridgeApp::Start(const BridgeOptions& options,
                                                            base::Clock& clock,
                                                            base::RandomSource& random) {
  BridgeOptions adjusted = options;
  adjusted.server.subprotocols = {"wattmint.v1.json"};
  adjusted.host.sessions.frame_bytes_max = options.server.frame_bytes_max;
  auto parts = std::make_unique<Parts>(adjusted, clock, random);
  WATTMINT_ASSIGN_OR_RETURN(parts->server, WebSocketServer::Listen(adjusted.server, parts->host));
  parts->server_thread = std::thread([&server = *parts->server] { server.Run(); });
  parts->upstream_thread = std::thread([&upstream = parts->upstream] { upstream.Run(); });
  return std::unique_ptr<BridgeApp>(new BridgeApp(std::move(parts)));
}

BridgeApp::BridgeApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

BridgeApp::~BridgeApp() { Stop(); }

void BridgeApp::Stop() {
  if (!parts_->server_thread.joinable()) return;
  parts_->upstream.Stop();
  parts_->upstream_thread.join();
  parts_->server->Post([this] { parts_->host.Drain(); });
  parts_->server->Stop(
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_->options.stop_deadline));
  parts_->server_thread.join();
  parts_->core.Stop();
}

std::uint16_t BridgeApp::port() const { return parts_->server->port(); }

std::size_t BridgeApp::connections() const { return parts_->server->connections(); }

}  // namespace wattmint::bridge
