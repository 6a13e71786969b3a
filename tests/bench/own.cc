// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/crowd.h"
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace wattmint::bench {
namespace {

struct Flags {
  int sessions = 10'000;
  int rate = 1'000;  // events a second, in all
  int batch = 5;     // readings
  double seconds = 20;
  int shards = 1;  // of the bridge
};

enum class Company { kAlone, kWithStalled };

// Each session has the events of its own meter. The one that is stalled is to get everything.
// Returns milliseconds from the time of an event, which is taken before it is durable, to receipt.
std::vector<double> Follow(const Flags& flags, Company company) {
  const auto core = Server::Core();
  const int stalled = company == Company::kWithStalled ? 1 : 0;
  const auto bridge = Server::Bridge(*core, flags.sessions + stalled, 0, flags.shards);
  RegisterMeters(*core, "m", flags.sessions);
  const auto own_meter = [&flags](int number) {
    return number == flags.sessions
               ? std::string(R"("event_types":[])")
               : fmt::format(R"("channels":["meter:{}"])", MeterName("m", number));
  };
  Crowd crowd({.port = bridge->port(),
               .count = flags.sessions + stalled,
               .key = core->key(),
               .subscription = own_meter,
               .stalled = stalled,
               .has_to_match = false,
               .takes_times = true});
  crowd.AwaitLive(flags.sessions + stalled);
  Feeder feeder(*core, {.prefix = "m", .meters = flags.sessions, .batch = flags.batch});
  const std::chrono::duration<double> pause(static_cast<double>(flags.batch * kEventsPerReading) /
                                            flags.rate);
  std::int64_t batches = 0;
  const auto feed_for = [&](double seconds) {
    const Steady::time_point start = Steady::now();
    for (int i = 0; i * pause.count() < seconds; ++i, ++batches) {
      WaitUntil(start + std::chrono::duration_cast<Steady::duration>(i * pause));
      feeder.SendBatch();
    }
    crowd.AwaitEvents(batches * flags.batch * kEventsPerReading);
  };
  feed_for(flags.seconds / 10);  // until caches are warm
  crowd.TakeTimes();
  feed_for(flags.seconds);
  return crowd.TakeTimes();
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("own");
  for (int round = 0; round < rounds.count; ++round) {
    const std::vector<double> ours = Follow(flags, Company::kWithStalled);
    const std::vector<double> alone = Follow(flags, Company::kAlone);
    for (const double share : {0.5, 0.99, 0.999}) {
      Figure& figure = figures.Of(fmt::format("p{:g} of {} sessions", 100 * share, flags.sessions),
                                  "ms", Better::kLower);
      figure.ours.push_back(Quantile(ours, share));
      figure.other.push_back(Quantile(alone, share));
    }
  }
  return figures;
}

}  // namespace

TopicBody DeclareOwn(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--sessions", flags->sessions, "how many")->capture_default_str();
  app.add_option("--rate", flags->rate, "events a second")->capture_default_str();
  app.add_option("--batch", flags->batch, "readings at a time")->capture_default_str();
  app.add_option("--seconds", flags->seconds, "how long")->capture_default_str();
  app.add_option("--shards", flags->shards, "threads of the bridge")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
