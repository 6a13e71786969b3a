// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_tcp.h"
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"
#include "wattmint/v1/event.pb.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace wattmint::bench {
namespace {

constexpr int kMeters = 100;
constexpr int kBatch = 1'000;  // readings
constexpr int kBatchEvents = kBatch * kEventsPerReading;

struct Flags {
  std::vector<int> subscribers = {100, 1'000};
  std::int64_t deliveries = 40'000'000;
  int batches_ahead = 8;
  int events_per_message = kBatchEvents;
};

struct Cost {
  double wall = 0;
  double cpu = 0;
};

int BatchesOf(const Flags& flags, int subscribers) {
  return static_cast<int>(
      std::max<std::int64_t>(2, flags.deliveries / (std::int64_t{subscribers} * kBatchEvents)));
}

// The batches go in no further ahead of the slowest subscriber than the flags say.
Cost Deliver(const Server& server, const Flags& flags, int subscribers, int batches) {
  RegisterMeters(server, "m", kMeters);
  cli::Audience audience(
      {.subscribers = subscribers, .step_events = kBatchEvents, .steps_max = batches});
  Subscribe(
      server, subscribers, 1, [](int) { return std::string(); }, audience);
  Check(audience.AwaitCaughtUp(kPatience));
  Feeder feeder(server, {.prefix = "m", .meters = kMeters, .batch = kBatch});
  const Watch watch(server);
  for (int i = 0; i < batches; ++i) {
    if (subscribers > 0) Check(audience.AwaitSteps(i - flags.batches_ahead + 1, kPatience));
    feeder.SendBatch();
  }
  feeder.Finish();
  if (subscribers > 0) Check(audience.AwaitSteps(batches, kPatience));
  return {watch.Seconds(), watch.CpuSeconds()};
}

void MeasureLive(const Flags& flags, int subscribers, Figures& figures) {
  const int batches = BatchesOf(flags, subscribers);
  const double deliveries = static_cast<double>(subscribers) * batches * kBatchEvents;
  const Cost ours = Deliver(*Server::Core(flags.events_per_message), flags, subscribers, batches);
  const Cost alone = Deliver(*Server::Core(flags.events_per_message), flags, 0, batches);
  const Cost bare =
      Deliver(*Server::Bare(kBatchEvents, flags.events_per_message), flags, subscribers, batches);
  Figure& rate =
      figures.Of(fmt::format("delivered to {}", subscribers), "events/s", Better::kHigher);
  rate.ours.push_back(deliveries / ours.wall);
  rate.other.push_back(deliveries / bare.wall);
  const auto nanoseconds = [deliveries](double seconds) { return 1e9 * seconds / deliveries; };
  Figure& all =
      figures.Of(fmt::format("CPU of a delivery to {}", subscribers), "ns", Better::kLower);
  all.ours.push_back(nanoseconds(ours.cpu));
  all.other.push_back(nanoseconds(bare.cpu));
  Figure& net =
      figures.Of(fmt::format("the same without the ingest, {}", subscribers), "ns", Better::kLower);
  net.ours.push_back(nanoseconds(ours.cpu - alone.cpu));
  net.other.push_back(nanoseconds(bare.cpu));
}

// Bare TCP beside the bare gRPC server: what the library costs in itself.
void MeasureTcp(const Flags& flags, int subscribers, Figures& figures) {
  const int batches = BatchesOf(flags, subscribers);
  const BareTcp task{subscribers, batches * (kBatchEvents / flags.events_per_message),
                     flags.events_per_message};
  const double deliveries = static_cast<double>(subscribers) * batches * kBatchEvents;
  const auto server = Server::BareTcp(task.connections, task.messages, task.events_per_message);
  const Watch watch(*server);
  const double seconds = ReceiveBareTcp(*server, task);
  figures.Of(fmt::format("bare TCP to {}", subscribers), "events/s", Better::kHigher)
      .ours.push_back(deliveries / seconds);
  figures.Of(fmt::format("CPU of a delivery by bare TCP to {}", subscribers), "ns", Better::kLower)
      .ours.push_back(1e9 * watch.CpuSeconds() / deliveries);
}

Figures Measure(const std::string& topic, const Flags& flags, const Rounds& rounds) {
  Figures figures(topic);
  for (int round = 0; round < rounds.count; ++round) {
    for (const int subscribers : flags.subscribers) {
      MeasureLive(flags, subscribers, figures);
      MeasureTcp(flags, subscribers, figures);
    }
  }
  return figures;
}

// Everybody reads from the first event on. Counted are the readings' events alone.
Cost Replay(const Server& server, int subscribers, int batches) {
  RegisterMeters(server, "m", kMeters);
  {
    Feeder feeder(server, {.prefix = "m", .meters = kMeters, .batch = kBatch});
    for (int i = 0; i < batches; ++i) feeder.SendBatch();
  }
  v1::SubscribeRequest request;
  request.set_position(v1::START_POSITION_OLDEST);
  request.mutable_filter()->add_types(v1::EVENT_TYPE_METER_READING_RECEIVED);
  request.mutable_filter()->add_types(v1::EVENT_TYPE_TASK_CREATED);
  cli::Audience audience({.subscribers = subscribers});
  const std::string bytes = request.SerializeAsString();
  const Watch watch(server);
  Subscribe(
      server, subscribers, 1, [&bytes](int) { return bytes; }, audience);
  Check(audience.AwaitEvents(std::int64_t{subscribers} * batches * kBatchEvents, kPatience));
  return {watch.Seconds(), watch.CpuSeconds()};
}

void MeasureReplay(int subscribers, int batches, Figures& figures) {
  const double deliveries = static_cast<double>(subscribers) * batches * kBatchEvents;
  const Cost ours = Replay(*Server::Core(), subscribers, batches);
  const Cost bare = Replay(*Server::Bare(kBatchEvents, kBatchEvents), subscribers, batches);
  const std::string what = fmt::format("{} events to {}", batches * kBatchEvents, subscribers);
  Figure& rate = figures.Of(what, "events/s", Better::kHigher);
  rate.ours.push_back(deliveries / ours.wall);
  rate.other.push_back(deliveries / bare.wall);
  Figure& cpu = figures.Of("CPU of a delivery of " + what, "ns", Better::kLower);
  cpu.ours.push_back(1e9 * ours.cpu / deliveries);
  cpu.other.push_back(1e9 * bare.cpu / deliveries);
}

void DeclareFlags(CLI::App& app, Flags& flags) {
  app.add_option("--subscribers", flags.subscribers, "how many; repeatable")->capture_default_str();
  app.add_option("--deliveries", flags.deliveries, "events times subscribers, about")
      ->capture_default_str();
  app.add_option("--ahead", flags.batches_ahead,
                 "batches of 1,000 readings that are sent ahead of the slowest subscriber")
      ->capture_default_str();
}

}  // namespace

TopicBody DeclareFanOut(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  DeclareFlags(app, *flags);
  return [flags](const Rounds& rounds) { return Measure("fan-out", *flags, rounds); };
}

TopicBody DeclareFanOutSingle(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();  // shared: as above
  flags->deliveries = 2'000'000;
  flags->events_per_message = 1;
  DeclareFlags(app, *flags);
  return [flags](const Rounds& rounds) { return Measure("fan-out-single", *flags, rounds); };
}

TopicBody DeclareReplay(CLI::App& app) {
  struct ReplayFlags {
    int subscribers = 100;
    std::vector<int> thousands = {50, 500};
  };
  const auto flags = std::make_shared<ReplayFlags>();  // shared: as above
  app.add_option("--subscribers", flags->subscribers, "how many")->capture_default_str();
  app.add_option("--thousands", flags->thousands, "thousands of readings; repeatable")
      ->capture_default_str();
  return [flags](const Rounds& rounds) {
    Figures figures("replay");
    for (int round = 0; round < rounds.count; ++round) {
      for (const int batches : flags->thousands)
        MeasureReplay(flags->subscribers, batches, figures);
    }
    return figures;
  };
}

}  // namespace wattmint::bench
