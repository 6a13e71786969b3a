// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_websocket.h"
#include "tests/bench/crowd.h"
#include "tests/bench/refusals.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

namespace wattmint::bench {
namespace {

constexpr int kSlices = 10;  // in which both sides take turns, since the machine's speed changes

struct Flags {
  // Both sides together have to stay below the 20,000 descriptors of a process.
  std::vector<int> sessions = {1'000, 9'900};
  std::int64_t deliveries = 1'000'000;
  int burst = 1;  // events that are there at once
  int shards = 1;
  std::string peer;  // command of a server to be beside; empty: the bare one
};

// A server with its browsers, and what it has cost so far.
class Side {
 public:
  // `commit(count)` makes the server send so many events to everybody.
  Side(std::unique_ptr<Server> server, const Crowd::Options& options,
       std::function<void(int)> commit)
      : server_(std::move(server)),
        sessions_(options.count),
        commit_(std::move(commit)),
        crowd_(options) {
    crowd_.AwaitLive(sessions_);
  }

  // All have the events of a burst before the next is committed.
  void Send(int bursts, int burst) {
    const Watch watch(*server_);
    for (int i = 0; i < bursts; ++i) {
      commit_(burst);
      crowd_.AwaitEvents(expected_ += std::int64_t{sessions_} * burst);
    }
    cpu_ += watch.CpuSeconds();
    seconds_ += watch.Seconds();
    bursts_ += bursts;
  }

  void Forget() {
    cpu_ = seconds_ = 0;
    bursts_ = 0;
    forgotten_ = expected_;
    forgotten_bytes_ = crowd_.event_bytes();
  }
  double Microseconds() const { return 1e6 * cpu_ / Deliveries(); }
  // From a commit until all have the burst.
  double Milliseconds() const { return 1e3 * seconds_ / bursts_; }
  double Bytes() const {
    return static_cast<double>(crowd_.event_bytes() - forgotten_bytes_) / Deliveries();
  }

 private:
  double Deliveries() const { return static_cast<double>(expected_ - forgotten_); }

  const std::unique_ptr<Server> server_;
  const int sessions_;
  const std::function<void(int)> commit_;
  Crowd crowd_;
  std::int64_t expected_ = 0;  // events, in all
  std::int64_t forgotten_ = 0;
  std::int64_t forgotten_bytes_ = 0;
  double cpu_ = 0;
  double seconds_ = 0;
  int bursts_ = 0;
};

// What both sides have sent by turns, after the caches are warm and all are in step.
void SendByTurns(Side& ours, Side& other, const Flags& flags, int sessions) {
  for (Side* side : {&ours, &other}) side->Forget();
  const std::int64_t bursts = flags.deliveries / (std::int64_t{sessions} * flags.burst * kSlices);
  for (int i = 0; i < kSlices; ++i) {
    for (Side* side : {&ours, &other}) {
      side->Send(static_cast<int>(std::max<std::int64_t>(1, bursts)), flags.burst);
    }
  }
}

void AddFigures(const Side& ours, const Side& other, int sessions, const char* size_name,
                Figures& figures) {
  Figure& cpu = figures.Of(fmt::format("CPU of a delivery to {}", sessions), "us", Better::kLower);
  cpu.ours.push_back(ours.Microseconds());
  cpu.other.push_back(other.Microseconds());
  Figure& time = figures.Of(fmt::format("until all {} have it", sessions), "ms", Better::kLower);
  time.ours.push_back(ours.Milliseconds());
  time.other.push_back(other.Milliseconds());
  Figure& size = figures.Of(fmt::format("{}, {}", size_name, sessions), "bytes", Better::kLower);
  size.ours.push_back(ours.Bytes());
  size.other.push_back(other.Bytes());
}

// Beside the bridge's side, each event is committed in a core as well, so that the machine has done
// the same in between and caches are as cold.
void MeasureSessions(const Flags& flags, int sessions, Figures& figures) {
  const auto core = Server::Core();
  const auto other_core = Server::Core();
  Refusals refusals(*core);
  Refusals other_refusals(*other_core);
  auto bridge = Server::Bridge(*core, sessions, 0, flags.shards);
  const Crowd::Options browsers{.port = bridge->port(),
                                .count = sessions,
                                .key = core->key(),
                                .subscription = Refusals::Subscription};
  Side ours(std::move(bridge), browsers, [&](int count) { refusals.Commit(count); });
  ours.Send(3, flags.burst);
  const std::int64_t bytes = std::llround(ours.Bytes());
  auto server = flags.peer.empty() ? Server::BareWebSocket(bytes) : Server::Peer(flags.peer, bytes);
  BareControl control(server->control_port());
  const Crowd::Options others{.port = server->port(), .count = sessions};
  Side bare(std::move(server), others, [&](int count) {
    other_refusals.Commit(count);
    control.SendEvents(count);
  });
  bare.Send(3, flags.burst);
  SendByTurns(ours, bare, flags, sessions);
  AddFigures(ours, bare, sessions, "JSON of an event", figures);
}

// Two bridges, whose browsers differ in what they offer.
void MeasureCompressed(const Flags& flags, int sessions, Figures& figures) {
  const auto core = Server::Core();
  const auto other_core = Server::Core();
  Refusals refusals(*core);
  Refusals other_refusals(*other_core);
  const auto open = [&](const Server& its_core, Refusals& its_refusals, bool compresses) {
    auto bridge = Server::Bridge(its_core, sessions, 0, flags.shards);
    const Crowd::Options browsers{.port = bridge->port(),
                                  .count = sessions,
                                  .key = its_core.key(),
                                  .subscription = Refusals::Subscription,
                                  .compresses = compresses};
    return std::make_unique<Side>(std::move(bridge), browsers,
                                  [&its_refusals](int count) { its_refusals.Commit(count); });
  };
  const auto compressed = open(*core, refusals, true);
  const auto plain = open(*other_core, other_refusals, false);
  for (Side* side : {compressed.get(), plain.get()}) side->Send(3, flags.burst);
  SendByTurns(*compressed, *plain, flags, sessions);
  AddFigures(*compressed, *plain, sessions, "payload of an event", figures);
}

Figures Measure(const std::string& topic, const Flags& flags, const Rounds& rounds) {
  Figures figures(topic);
  for (int round = 0; round < rounds.count; ++round) {
    for (const int sessions : flags.sessions) MeasureSessions(flags, sessions, figures);
  }
  return figures;
}

void DeclareFlags(CLI::App& app, Flags& flags) {
  app.add_option("--sessions", flags.sessions, "how many; repeatable")->capture_default_str();
  app.add_option("--deliveries", flags.deliveries, "events times sessions, about")
      ->capture_default_str();
  app.add_option("--shards", flags.shards, "threads of the bridge")->capture_default_str();
}

void DeclarePeer(CLI::App& app, Flags& flags) {
  app.add_option("--peer", flags.peer,
                 "command of a server to measure beside instead of the bare one: "
                 "'node tests/bench/peers/ws.mjs'");
}

Figures MeasureCompression(const Flags& flags, const Rounds& rounds) {
  Figures figures("compressed");
  for (int round = 0; round < rounds.count; ++round) {
    for (const int sessions : flags.sessions) MeasureCompressed(flags, sessions, figures);
  }
  return figures;
}

}  // namespace

TopicBody DeclareBroadcast(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  DeclareFlags(app, *flags);
  DeclarePeer(app, *flags);
  return [flags](const Rounds& rounds) { return Measure("broadcast", *flags, rounds); };
}

TopicBody DeclareCompressed(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();  // shared: as above
  DeclareFlags(app, *flags);
  return [flags](const Rounds& rounds) { return MeasureCompression(*flags, rounds); };
}

TopicBody DeclareBursts(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();  // shared: as above
  *flags = {.sessions = {1'000}, .deliveries = 2'000'000, .burst = 200};
  DeclareFlags(app, *flags);
  DeclarePeer(app, *flags);
  app.add_option("--burst", flags->burst, "events at once, at most 1,000")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure("bursts", *flags, rounds); };
}

}  // namespace wattmint::bench
