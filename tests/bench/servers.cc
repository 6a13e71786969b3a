// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/servers.h"

#include "bridge/bridge_app.h"
#include "cli/bare_server.h"
#include "core/base/assert.h"
#include "core/client/channel.h"
#include "tests/bench/bare_tcp.h"
#include "tests/bench/bare_websocket.h"
#include "tests/bench/loopback.h"
#include "tests/support/test_core.h"

#include <absl/strings/str_split.h>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <sstream>
#include <unistd.h>

namespace wattmint::bench {
namespace {

constexpr std::string_view kCore = "serve-core";
constexpr std::string_view kBare = "serve-bare";
constexpr std::string_view kBridge = "serve-bridge";
constexpr std::string_view kBareWebSocket = "serve-bare-websocket";
constexpr std::string_view kPeer = "serve-peer";
constexpr std::string_view kBareTcp = "serve-bare-tcp";
constexpr std::size_t kStreamsMax = 20'000;
constexpr std::chrono::minutes kConnectTimeout{1};

int Number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void ServeCore(int events_per_message) {
  rpc::CoreOptions options = test::TestCore::Defaults();
  options.mints.automatic = false;
  options.streams.streams_max = kStreamsMax;
  options.feeds.batch_events_max = static_cast<std::size_t>(events_per_message);
  test::TestCore core(options);
  cli::SayReady(fmt::format("{} {} {}", core.app().port(), core.admin().text, core.relay().text));
  cli::WaitUntilInputEnds();
}

// With production's settings, but for who may connect.
void ServeBridge(int core_port, std::string_view relay_key, int connections, int port, int shards) {
  RaiseDescriptorLimit();
  bridge::BridgeOptions options;
  options.shards = static_cast<std::size_t>(shards);
  options.server.port = static_cast<std::uint16_t>(port);
  options.server.connections_max = static_cast<std::size_t>(connections);
  options.server.connections_per_ip_max = static_cast<std::size_t>(connections);
  options.core.target = fmt::format("127.0.0.1:{}", core_port);
  options.relay = client::Credential::ApiKey(std::string(relay_key));
  options.cursor_key = test::TestCore::Defaults().cursor_key;
  options.audit_sink = [](std::string_view) {};
  base::SystemClock clock;
  base::SystemRandom random;
  const auto app = bridge::BridgeApp::Start(options, clock, random);
  WATTMINT_ASSERT(app.ok(), "{}", app.status().ToString());
  cli::SayReady(std::to_string((*app)->port()));
  cli::WaitUntilInputEnds();
}

void ServeBare(int events_per_batch, int events_per_message) {
  cli::BareServer::Options options;
  options.events_per_batch = events_per_batch;
  options.events_per_message = events_per_message;
  const auto server = cli::BareServer::Start(options);
  WATTMINT_ASSERT(server.ok(), "{}", server.status().ToString());
  cli::SayReady(std::to_string((*server)->port()));
  cli::WaitUntilInputEnds();
}

// This process becomes the command.
void BecomePeer(const std::string& command, std::size_t payload_bytes) {
  RaiseDescriptorLimit();
  std::vector<std::string> words = absl::StrSplit(command, ' ', absl::SkipEmpty());
  words.push_back(BareEvent(payload_bytes));
  std::vector<char*> texts;
  for (std::string& word : words) texts.push_back(word.data());
  texts.push_back(nullptr);
  execvp(texts[0], texts.data());
  WATTMINT_ASSERT(false, "{}: {}", command, std::strerror(errno));
}

}  // namespace

std::unique_ptr<Server> Server::Core(int events_per_message) {
  return std::unique_ptr<Server>(
      new Server({std::string(kCore), std::to_string(events_per_message)}));
}

std::unique_ptr<Server> Server::Bare(int events_per_batch, int events_per_message) {
  return std::unique_ptr<Server>(new Server(
      {std::string(kBare), std::to_string(events_per_batch), std::to_string(events_per_message)}));
}

std::unique_ptr<Server> Server::Bridge(const Server& core, int connections, int port, int shards) {
  return std::unique_ptr<Server>(
      new Server({std::string(kBridge), std::to_string(core.port_), core.relay_key_,
                  std::to_string(connections), std::to_string(port), std::to_string(shards)}));
}

std::unique_ptr<Server> Server::BareWebSocket(std::int64_t payload_bytes, int port) {
  std::unique_ptr<Server> server(new Server(
      {std::string(kBareWebSocket), std::to_string(payload_bytes), std::to_string(port)}));
  server->control_port_ = server->port_;
  return server;
}

std::unique_ptr<Server> Server::Peer(const std::string& command, std::int64_t payload_bytes) {
  std::unique_ptr<Server> server(
      new Server({std::string(kPeer), command, std::to_string(payload_bytes)}));
  std::istringstream(server->child_->line()) >> server->port_ >> server->control_port_;
  return server;
}

std::unique_ptr<Server> Server::BareTcp(int connections, int messages, int events_per_message) {
  return std::unique_ptr<Server>(
      new Server({std::string(kBareTcp), std::to_string(connections), std::to_string(messages),
                  std::to_string(events_per_message)}));
}

Server::Server(const std::vector<std::string>& arguments) {
  auto child = cli::ChildProgram::Start(arguments);
  WATTMINT_ASSERT(child.ok(), "{}", child.status().ToString());
  child_ = *std::move(child);
  std::istringstream(child_->line()) >> port_ >> key_ >> relay_key_;
}

client::Credential Server::credential() const {
  return is_core() ? client::Credential::ApiKey(key_) : client::Credential();
}

std::shared_ptr<grpc::Channel> Server::NewChannel() const {
  client::ChannelOptions options;
  options.target = fmt::format("127.0.0.1:{}", port_);
  auto channel = client::OpenChannel(options);
  const bool is_connected =
      channel->WaitForConnected(std::chrono::system_clock::now() + kConnectTimeout);
  WATTMINT_ASSERT(is_connected, "no connection to port {}", port_);
  return channel;
}

double Server::ResidentMebibytes() const {
  return static_cast<double>(cli::ResidentBytes(child_->process())) / (1 << 20);
}

bool ServeAsChild(const std::vector<std::string_view>& arguments) {
  if (arguments.empty() || !arguments[0].starts_with("serve-")) return false;
  const auto number = [&](std::size_t place) { return Number(arguments.at(place)); };
  spdlog::set_level(spdlog::level::warn);
  if (arguments[0] == kCore) {
    ServeCore(number(1));
  } else if (arguments[0] == kBare) {
    ServeBare(number(1), number(2));
  } else if (arguments[0] == kBridge) {
    ServeBridge(number(1), arguments.at(2), number(3), number(4), number(5));
  } else if (arguments[0] == kBareWebSocket) {
    RaiseDescriptorLimit();
    ServeBareWebSocket(number(2), static_cast<std::size_t>(number(1)));
  } else if (arguments[0] == kPeer) {
    BecomePeer(std::string(arguments.at(1)), static_cast<std::size_t>(number(2)));
  } else if (arguments[0] == kBareTcp) {
    ServeBareTcp({number(1), number(2), number(3)});
  } else {
    return false;
  }
  return true;
}

}  // namespace wattmint::bench
