// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/servers.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <spdlog/spdlog.h>

#include <string>
#include <vector>

// The ratios of our server to the least that does the same: tests/bench/README.md.
namespace wattmint::bench {

std::span<const Topic> TopicTable() {
  static constexpr Topic kTable[] = {
      {"fan-out", "live events to many subscribers while readings come in", DeclareFanOut},
      {"fan-out-single", "the same with one event a message", DeclareFanOutSingle},
      {"replay", "stored events to many subscribers that start at the beginning", DeclareReplay},
      {"ingest", "durable readings over gRPC, beside a bare SQLite loop", DeclareIngest},
      {"stored", "the same in a large database, beside a small one", DeclareStored},
      {"unary", "SubmitReading, many in flight, beside a bare echo", DeclareUnary},
      {"latency", "from submission to receipt at a part of the greatest rate", DeclareLatency},
      {"stalled", "one subscriber that reads nothing, beside a run without it", DeclareStalled},
      {"meters", "subscribers that each want one meter: cost of an event, memory", DeclareMeters},
      {"broadcast", "one event at a time from a bridge to many browsers", DeclareBroadcast},
      {"bursts", "many events at once from a bridge to many browsers", DeclareBursts},
      {"compressed", "broadcast to browsers that offer permessage-deflate", DeclareCompressed},
      {"idle", "memory of a browser that has subscribed and gets nothing", DeclareIdle},
      {"own", "browsers that each want one meter: from commit to receipt", DeclareOwn},
      {"storm", "all browsers come back at once after a restart of the bridge", DeclareStorm},
  };
  return kTable;
}

namespace {

int Main(int argc, char** argv) {
  if (ServeAsChild({argv + 1, argv + argc})) return 0;
  spdlog::set_level(spdlog::level::warn);
  CLI::App app("Measures ratios: ours to the least that does the same, in turn.");
  Rounds rounds;
  std::string output = "table";
  app.add_option("--rounds", rounds.count, "how often")->capture_default_str();
  app.add_option("--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.require_subcommand(1, 0);
  app.fallthrough();
  std::vector<std::pair<CLI::App*, TopicBody>> bodies;
  for (const Topic& topic : TopicTable()) {
    CLI::App* command = app.add_subcommand(std::string(topic.name), std::string(topic.summary));
    bodies.emplace_back(command, topic.declare(*command));
  }
  CLI11_PARSE(app, argc, argv);
  for (const auto& [command, body] : bodies) {
    if (!command->parsed()) continue;
    const Figures figures = body(rounds);
    output == "json" ? figures.PrintJson() : figures.PrintTable();
  }
  return 0;
}

}  // namespace
}  // namespace wattmint::bench

int main(int argc, char** argv) { return wattmint::bench::Main(argc, argv); }
