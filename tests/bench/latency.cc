// SPDX-License-Identifier: Apache-2.0
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

constexpr int kMeters = 100;
constexpr int kProbeBatches = 500;

struct Flags {
  int batch = 100;
  int subscribers = 1;
  double seconds = 10;
  double part = 0.1;  // of the greatest rate
};

// Batches a second that the server takes at most, everything received.
double GreatestRate(const Server& server, const Flags& flags) {
  RegisterMeters(server, "p", kMeters);
  const int events = flags.batch * kEventsPerReading;
  cli::Audience audience(
      {.subscribers = flags.subscribers, .step_events = events, .steps_max = kProbeBatches});
  Subscribe(
      server, flags.subscribers, 1, [](int) { return std::string(); }, audience);
  Check(audience.AwaitCaughtUp(kPatience));
  Feeder feeder(server, {.prefix = "p", .meters = kMeters, .batch = flags.batch});
  const Watch watch(server);
  for (int i = 0; i < kProbeBatches; ++i) feeder.SendBatch();
  feeder.Finish();
  Check(audience.AwaitSteps(kProbeBatches, kPatience));
  return kProbeBatches / watch.Seconds();
}

// From the submission of each batch to the receipt of all its events by all, in milliseconds. Late
// submissions count from when they were due.
std::vector<double> Latencies(const Server& server, const Flags& flags, double rate) {
  RegisterMeters(server, "m", kMeters);
  const int batches = std::max(10, static_cast<int>(rate * flags.seconds));
  cli::Audience audience({.subscribers = flags.subscribers,
                          .step_events = flags.batch * kEventsPerReading,
                          .steps_max = batches});
  Subscribe(
      server, flags.subscribers, 1, [](int) { return std::string(); }, audience);
  Check(audience.AwaitCaughtUp(kPatience));
  Feeder feeder(server, {.prefix = "m", .meters = kMeters, .batch = flags.batch});
  const Steady::time_point start = Steady::now();
  const auto due = [&](int number) {
    return start + std::chrono::duration_cast<Steady::duration>(
                       std::chrono::duration<double>(number / rate));
  };
  for (int i = 0; i < batches; ++i) {
    WaitUntil(due(i));
    feeder.SendBatch();
  }
  feeder.Finish();
  Check(audience.AwaitSteps(batches, kPatience));
  std::vector<double> latencies;
  for (int i = 0; i < batches; ++i) {
    latencies.push_back(
        std::chrono::duration<double, std::milli>(audience.TimeOfStep(i) - due(i)).count());
  }
  return latencies;
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("latency");
  const int events = flags.batch * kEventsPerReading;
  for (int round = 0; round < rounds.count; ++round) {
    const auto core = Server::Core();
    const double greatest = GreatestRate(*core, flags);
    const double rate = greatest * flags.part;
    figures.Of("greatest rate", "readings/s", Better::kHigher)
        .ours.push_back(greatest * flags.batch);
    const std::vector<double> ours = Latencies(*core, flags, rate);
    const std::vector<double> bare = Latencies(*Server::Bare(events, events), flags, rate);
    for (const double share : {0.5, 0.99}) {
      Figure& figure = figures.Of(fmt::format("p{:.0f} at {} of it", 100 * share, flags.part), "ms",
                                  Better::kLower);
      figure.ours.push_back(Quantile(ours, share));
      figure.other.push_back(Quantile(bare, share));
    }
  }
  return figures;
}

}  // namespace

TopicBody DeclareLatency(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--batch", flags->batch, "readings in a batch")->capture_default_str();
  app.add_option("--subscribers", flags->subscribers, "who all have to receive it")
      ->capture_default_str();
  app.add_option("--seconds", flags->seconds, "how long")->capture_default_str();
  app.add_option("--part", flags->part, "of the greatest rate")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
