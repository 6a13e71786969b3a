// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/crowd.h"
#include "tests/bench/refusals.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <functional>
#include <memory>

namespace wattmint::bench {
namespace {

struct Flags {
  int sessions = 10'000;
  int missed = 10;  // events while the bridge is away
};

struct Found {
  double seconds = 0;  // until all were live again
  double cpu = 0;      // of the server, until then
};

// All lose their server at once, and come back at once, to what `start(port)` makes.
Found ComeBack(Crowd& crowd, int sessions, std::unique_ptr<Server>& server,
               const std::function<void()>& meanwhile,
               const std::function<std::unique_ptr<Server>(int port)>& start) {
  const int port = server->port();
  crowd.StayAway();
  server.reset();
  crowd.AwaitLive(0);
  meanwhile();
  server = start(port);
  const Watch watch(*server);
  crowd.ComeBack();
  crowd.AwaitLive(sessions);
  return {watch.Seconds(), watch.CpuSeconds()};
}

// The crowd sees to it that nobody misses an event, nor gets one twice.
Found ComeBackToBridge(const Flags& flags) {
  const auto core = Server::Core();
  const auto start = [&](int port) { return Server::Bridge(*core, flags.sessions, port); };
  auto bridge = start(0);
  Refusals refusals(*core);
  Crowd crowd({.port = bridge->port(),
               .count = flags.sessions,
               .opening_max = flags.sessions,
               .key = core->key(),
               .subscription = Refusals::Subscription});
  crowd.AwaitLive(flags.sessions);
  refusals.Commit(1);
  crowd.AwaitEvents(flags.sessions);
  const auto meanwhile = [&] { refusals.Commit(flags.missed); };
  const Found found = ComeBack(crowd, flags.sessions, bridge, meanwhile, start);
  crowd.AwaitEvents(std::int64_t{flags.sessions} * (1 + flags.missed));
  return found;
}

Found ComeBackToBare(const Flags& flags) {
  const auto start = [](int port) { return Server::BareWebSocket(250, port); };
  auto server = start(0);
  Crowd crowd({.port = server->port(), .count = flags.sessions, .opening_max = flags.sessions});
  crowd.AwaitLive(flags.sessions);
  return ComeBack(
      crowd, flags.sessions, server, [] {}, start);
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("storm");
  for (int round = 0; round < rounds.count; ++round) {
    const Found ours = ComeBackToBridge(flags);
    const Found bare = ComeBackToBare(flags);
    Figure& seconds =
        figures.Of(fmt::format("until all {} are live again", flags.sessions), "s", Better::kLower);
    seconds.ours.push_back(ours.seconds);
    seconds.other.push_back(bare.seconds);
    Figure& cpu = figures.Of("CPU for each", "us", Better::kLower);
    cpu.ours.push_back(1e6 * ours.cpu / flags.sessions);
    cpu.other.push_back(1e6 * bare.cpu / flags.sessions);
  }
  return figures;
}

}  // namespace

TopicBody DeclareStorm(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--sessions", flags->sessions, "how many")->capture_default_str();
  app.add_option("--missed", flags->missed, "events while the bridge is away")
      ->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
