// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/crowd.h"
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <memory>
#include <vector>

namespace wattmint::bench {
namespace {

struct Flags {
  std::vector<int> sessions = {10'000};
};

std::string OwnMeter(int number) {
  return fmt::format(R"("channels":["meter:{}"])", MeterName("m", number));
}

// What one session has added to a server's memory, in bytes.
double Hold(const Server& server, const Crowd::Options& options) {
  const double before = server.ResidentMebibytes();
  Crowd crowd(options);
  crowd.AwaitLive(options.count);
  return (server.ResidentMebibytes() - before) * (1 << 20) / options.count;
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("idle");
  for (int round = 0; round < rounds.count; ++round) {
    for (const int sessions : flags.sessions) {
      const auto core = Server::Core();
      const auto bridge = Server::Bridge(*core, sessions);
      const auto bare = Server::BareWebSocket(250);
      Figure& memory =
          figures.Of(fmt::format("resident memory of one of {}", sessions), "kB", Better::kLower);
      memory.ours.push_back(1e-3 * Hold(*bridge, {.port = bridge->port(),
                                                  .count = sessions,
                                                  .key = core->key(),
                                                  .subscription = OwnMeter}));
      memory.other.push_back(1e-3 * Hold(*bare, {.port = bare->port(), .count = sessions}));
    }
  }
  return figures;
}

}  // namespace

TopicBody DeclareIdle(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--sessions", flags->sessions, "how many; repeatable")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
