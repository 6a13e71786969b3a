// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_sqlite.h"
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"
#include "tests/support/temp_dir.h"

#include <CLI/App.hpp>
#include <fmt/core.h>

#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace wattmint::bench {
namespace {

struct Flags {
  std::vector<int> batches = {100, 1'000};
  std::int64_t readings = 400'000;
  int meters = 1'000;
  int streams = 4;
};

struct Cost {
  double wall = 0;
  double cpu = 0;
};

std::string PrefixOf(int stream) { return fmt::format("s{}", stream); }

void RegisterAll(const Server& server, const Flags& flags) {
  for (int i = 0; i < flags.streams; ++i) {
    RegisterMeters(server, PrefixOf(i), flags.meters / flags.streams);
  }
}

// Sends by several streams at once; `before` were sent already.
Cost Feed(const Server& server, const Flags& flags, std::int64_t before, std::int64_t readings,
          int batch) {
  const auto work = [&](int stream) {
    Feeder feeder(server, {.prefix = PrefixOf(stream),
                           .meters = flags.meters / flags.streams,
                           .batch = batch,
                           .first = before / flags.streams});
    for (std::int64_t sent = 0; sent < readings / flags.streams; sent += batch) feeder.SendBatch();
    feeder.Finish();
  };
  const Watch watch(server);
  std::vector<std::thread> senders;
  for (int i = 0; i < flags.streams; ++i) senders.emplace_back(work, i);
  for (std::thread& sender : senders) sender.join();
  return {watch.Seconds(), watch.CpuSeconds()};
}

double ThreadCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Cost StoreBare(const Flags& flags, int batch) {
  const test::TempDir folder;
  BareSqlite bare(folder.path(), flags.meters);
  const auto start = std::chrono::steady_clock::now();
  const double cpu = ThreadCpuSeconds();
  bare.Store(flags.readings, batch);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          ThreadCpuSeconds() - cpu};
}

void Add(const std::string& what, double readings, Cost ours, Cost other, Figures& figures) {
  Figure& rate = figures.Of(what, "readings/s", Better::kHigher);
  rate.ours.push_back(readings / ours.wall);
  rate.other.push_back(readings / other.wall);
  Figure& cpu = figures.Of("CPU of a reading, " + what, "us", Better::kLower);
  cpu.ours.push_back(1e6 * ours.cpu / readings);
  cpu.other.push_back(1e6 * other.cpu / readings);
}

Figures MeasureIngest(const Flags& flags, const Rounds& rounds) {
  Figures figures("ingest");
  for (int round = 0; round < rounds.count; ++round) {
    for (const int batch : flags.batches) {
      const auto server = Server::Core();
      RegisterAll(*server, flags);
      const Cost ours = Feed(*server, flags, 0, flags.readings, batch);
      Add(fmt::format("batches of {}", batch), static_cast<double>(flags.readings), ours,
          StoreBare(flags, batch), figures);
    }
  }
  return figures;
}

struct StoredFlags {
  Flags feed{.batches = {}, .readings = 200'000};
  std::int64_t large = 10'000'000;
  std::int64_t small = 100'000;
  int batch = 1'000;
};

// Ours is the large one.
Figures MeasureStored(const StoredFlags& flags, const Rounds& rounds) {
  Figures figures("stored");
  const Flags& feed = flags.feed;
  const auto large = Server::Core();
  RegisterAll(*large, feed);
  Feed(*large, feed, 0, flags.large, flags.batch);
  std::int64_t stored = flags.large;
  for (int round = 0; round < rounds.count; ++round) {
    const auto small = Server::Core();
    RegisterAll(*small, feed);
    Feed(*small, feed, 0, flags.small, flags.batch);
    const Cost other = Feed(*small, feed, flags.small, feed.readings, flags.batch);
    const Cost ours = Feed(*large, feed, stored, feed.readings, flags.batch);
    stored += feed.readings;
    Add(fmt::format("{} stored, beside {}", flags.large, flags.small),
        static_cast<double>(feed.readings), ours, other, figures);
  }
  figures.Of("resident memory with the large one", "MiB", Better::kLower)
      .ours.push_back(large->ResidentMebibytes());
  return figures;
}

void DeclareFlags(CLI::App& app, Flags& flags) {
  app.add_option("--readings", flags.readings, "readings that are measured in a round")
      ->capture_default_str();
  app.add_option("--meters", flags.meters, "meters that take turns")->capture_default_str();
  app.add_option("--streams", flags.streams, "streams that send at once")->capture_default_str();
}

}  // namespace

TopicBody DeclareIngest(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  DeclareFlags(app, *flags);
  app.add_option("--batch", flags->batches, "readings in a batch; repeatable")
      ->capture_default_str();
  return [flags](const Rounds& rounds) { return MeasureIngest(*flags, rounds); };
}

TopicBody DeclareStored(CLI::App& app) {
  const auto flags = std::make_shared<StoredFlags>();  // shared: as above
  DeclareFlags(app, flags->feed);
  app.add_option("--large", flags->large, "readings stored before")->capture_default_str();
  app.add_option("--small", flags->small, "the same of the other")->capture_default_str();
  app.add_option("--batch", flags->batch, "readings in a batch")->capture_default_str();
  return [flags](const Rounds& rounds) { return MeasureStored(*flags, rounds); };
}

}  // namespace wattmint::bench
