// SPDX-License-Identifier: Apache-2.0
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

struct Flags {
  std::vector<int> subscribers = {100, 1'000, 10'000};
  int per_connection = 100;
  int batch = 100;
  int batches = 200;
};

struct Found {
  double cpu = 0;        // of all events
  double kibibytes = 0;  // of a stream that has nothing to do
};

// Each batch has a reading for as many meters, and is received before the next one is sent: every
// subscriber gets messages of one reading's events, however many there are.
Found Deliver(const Flags& flags, int subscribers) {
  const auto server = Server::Core();
  RegisterMeters(*server, "m", subscribers);
  const double before = server->ResidentMebibytes();
  cli::Audience audience({.subscribers = subscribers});
  const auto own_meter = [](int number) {
    v1::SubscribeRequest request;
    request.mutable_filter()->add_meter_ids(MeterName("m", number));
    return request.SerializeAsString();
  };
  Subscribe(*server, subscribers, flags.per_connection, own_meter, audience);
  Check(audience.AwaitCaughtUp(kPatience));
  Found found;
  found.kibibytes = (server->ResidentMebibytes() - before) * 1'024 / subscribers;
  const int batch = std::min(flags.batch, subscribers);
  Feeder feeder(*server, {.prefix = "m", .meters = subscribers, .batch = batch});
  const Watch watch(*server);
  for (int i = 1; i <= flags.batches; ++i) {
    feeder.SendBatch();
    Check(audience.AwaitEvents(std::int64_t{i} * batch * kEventsPerReading, kPatience));
  }
  found.cpu = watch.CpuSeconds() / (static_cast<double>(flags.batches) * batch * kEventsPerReading);
  return found;
}

// Beside each number of subscribers stands the first.
Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("meters");
  for (int round = 0; round < rounds.count; ++round) {
    double first = 0;
    for (const int subscribers : flags.subscribers) {
      const Found found = Deliver(flags, subscribers);
      if (subscribers == flags.subscribers.front()) first = found.cpu;
      Figure& cpu = figures.Of(fmt::format("CPU of an event, {} subscribers", subscribers), "us",
                               Better::kLower);
      cpu.ours.push_back(1e6 * found.cpu);
      cpu.other.push_back(1e6 * first);
      figures.Of(fmt::format("resident memory of a stream, {}", subscribers), "KiB", Better::kLower)
          .ours.push_back(found.kibibytes);
    }
  }
  return figures;
}

}  // namespace

TopicBody DeclareMeters(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--subscribers", flags->subscribers, "how many; repeatable")
      ->capture_default_str();
  app.add_option("--per-connection", flags->per_connection, "streams on a connection")
      ->capture_default_str();
  app.add_option("--batch", flags->batch, "readings at a time")->capture_default_str();
  app.add_option("--batches", flags->batches, "how often")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
