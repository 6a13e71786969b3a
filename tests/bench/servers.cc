// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/servers.h"

#include "cli/bare_server.h"
#include "core/base/assert.h"
#include "core/client/channel.h"
#include "tests/bench/bare_tcp.h"
#include "tests/support/test_core.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <chrono>

namespace wattmint::bench {
namespace {

constexpr std::string_view kCore = "serve-core";
constexpr std::string_view kBare = "serve-bare";
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
  options.streams_max = kStreamsMax;
  options.feeds.batch_events_max = static_cast<std::size_t>(events_per_message);
  test::TestCore core(options);
  cli::SayReady(fmt::format("{} {}", core.app().port(), core.admin().text));
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

}  // namespace

std::unique_ptr<Server> Server::Core(int events_per_message) {
  return std::unique_ptr<Server>(
      new Server({std::string(kCore), std::to_string(events_per_message)}));
}

std::unique_ptr<Server> Server::Bare(int events_per_batch, int events_per_message) {
  return std::unique_ptr<Server>(new Server(
      {std::string(kBare), std::to_string(events_per_batch), std::to_string(events_per_message)}));
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
  const std::string& line = child_->line();
  port_ = Number(line);
  if (const auto space = line.find(' '); space != std::string::npos) key_ = line.substr(space + 1);
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
  } else if (arguments[0] == kBareTcp) {
    ServeBareTcp({number(1), number(2), number(3)});
  } else {
    return false;
  }
  return true;
}

}  // namespace wattmint::bench
