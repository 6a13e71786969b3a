// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <memory>

namespace wattmint::bench {
namespace {

constexpr int kMeters = 100;
constexpr int kBatch = 1'000;  // readings
constexpr int kBatchEvents = kBatch * kEventsPerReading;
constexpr int kBatchesAhead = 8;
constexpr std::int64_t kStepsMax = 1'000'000;

struct Flags {
  int subscribers = 50;
  double seconds = 60;
};

enum class Company { kAlone, kWithStalled };

struct Found {
  double rate = 0;  // events/s to those who read
  double grown_mebibytes = 0;
  double missed = 0;  // events that the stalled one never got
};

// Everybody reads for as long as it takes to settle, then one stops.
Found Deliver(const Server& server, const Flags& flags, Company company) {
  RegisterMeters(server, "m", kMeters);
  const auto everything = [](int) { return std::string(); };
  cli::Audience others(
      {.subscribers = flags.subscribers, .step_events = kBatchEvents, .steps_max = kStepsMax});
  cli::Audience stalled({.subscribers = 1});
  Subscribe(server, flags.subscribers, 1, everything, others);
  Check(others.AwaitCaughtUp(kPatience));
  if (company == Company::kWithStalled) {
    Subscribe(server, 1, 1, everything, stalled);
    Check(stalled.AwaitCaughtUp(kPatience));
    stalled.PauseLast();
  }
  Feeder feeder(server, {.prefix = "m", .meters = kMeters, .batch = kBatch});
  std::int64_t batches = 0;
  const auto feed_for = [&](double seconds) {
    const Watch watch(server);
    const std::int64_t before = batches;
    while (watch.Seconds() < seconds) {
      feeder.SendBatch();
      Check(others.AwaitSteps(++batches - kBatchesAhead, kPatience));
    }
    return static_cast<double>((batches - before) * kBatchEvents) / watch.Seconds();
  };
  feed_for(flags.seconds / 10);  // until tail and caches are full
  const double before = server.ResidentMebibytes();
  Found found;
  found.rate = feed_for(flags.seconds) * flags.subscribers;
  found.grown_mebibytes = server.ResidentMebibytes() - before;
  feeder.Finish();
  Check(others.AwaitSteps(batches, kPatience));
  if (company == Company::kWithStalled) {
    stalled.ResumeLast();
    Check(stalled.AwaitEvents(batches * kBatchEvents, kPatience));
    found.missed = static_cast<double>(batches * kBatchEvents - stalled.events());
  }
  return found;
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("stalled");
  for (int round = 0; round < rounds.count; ++round) {
    const Found ours = Deliver(*Server::Core(), flags, Company::kWithStalled);
    const Found alone = Deliver(*Server::Core(), flags, Company::kAlone);
    Figure& rate = figures.Of(fmt::format("delivered to {} others", flags.subscribers), "events/s",
                              Better::kHigher);
    rate.ours.push_back(ours.rate);
    rate.other.push_back(alone.rate);
    figures.Of("memory grew, with it", "MiB", Better::kLower).ours.push_back(ours.grown_mebibytes);
    figures.Of("memory grew, without", "MiB", Better::kLower).ours.push_back(alone.grown_mebibytes);
    figures.Of("missed by it afterwards", "events", Better::kLower).ours.push_back(ours.missed);
  }
  return figures;
}

}  // namespace

TopicBody DeclareStalled(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--subscribers", flags->subscribers, "others, who read")->capture_default_str();
  app.add_option("--seconds", flags->seconds, "for which it reads nothing")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
