// SPDX-License-Identifier: Apache-2.0
#include "cli/bare_server.h"
#include "cli/bench_runs.h"
#include "cli/child_program.h"
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/data_directory.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::cli {
namespace {

struct BenchFlags {
  std::vector<std::string> tests;
  BenchSizes sizes;
  bool serves_bare = false;
};

struct BenchTest {
  const char* name;
  absl::StatusOr<BenchResult> (*run)(const BenchServer& server, const BenchSizes& sizes);
};

constexpr BenchTest kTests[] = {{"broadcast", BenchBroadcast},
                                {"connections", BenchConnections},
                                {"subscriptions", BenchSubscriptions},
                                {"health", BenchHealth}};

struct Line {
  std::string server;
  BenchResult result;
};

std::string MemoryText(const BenchResult& result) {
  return result.memory_mebibytes ? fmt::format("{:.1f}", *result.memory_mebibytes) : "unknown";
}

void PrintTable(const std::vector<Line>& lines, Output& output) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [server, result] : lines) {
    rows.push_back({result.test_name, server, fmt::format("{:.3f}", result.duration_seconds),
                    fmt::format("{:.0f}", result.OperationsPerSecond()),
                    fmt::format("{:.4f}", result.SuccessRate()), CountText(result.errors),
                    MemoryText(result)});
  }
  output.Table({"test", "server", "seconds", "operations/s", "success", "errors", "memory, MiB"},
               {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight,
                Align::kRight, Align::kRight},
               rows);
}

// The names are those of S1.
nlohmann::ordered_json JsonOf(const Line& line) {
  const BenchResult& result = line.result;
  nlohmann::ordered_json json{{"test_name", result.test_name},
                              {"server", line.server},
                              {"duration", result.duration_seconds},
                              {"operations_per_second", result.OperationsPerSecond()},
                              {"success_rate", result.SuccessRate()},
                              {"memory_usage_mb", nullptr},
                              {"error_count", std::to_string(result.errors)}};
  if (result.memory_mebibytes) json["memory_usage_mb"] = *result.memory_mebibytes;
  return json;
}

// In this process, until whoever started it ends.
absl::StatusOr<ExitCode> ServeBare() {
  WATTMINT_ASSIGN_OR_RETURN(
      const auto server,
      BareServer::Start({.events_per_batch = kBenchBatch, .events_per_message = kBenchBatch}));
  SayReady(std::to_string(server->port()));
  WaitUntilInputEnds();
  return ExitCode::kOk;
}

absl::StatusOr<BenchServer> FindBenchCore(const ResolvedSettings& settings) {
  BenchServer core;
  core.name = "core";
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(settings));
  WATTMINT_ASSIGN_OR_RETURN(core.address, FindCore(settings));
  core.credential = link.credential();
  if (settings.values.core_address.empty()) {
    core.process = DataDirectory(settings.values.data_directory).FindCoreProcess();
  }
  return core;
}

// Ours and the bare one in turn, in processes of their own.
absl::StatusOr<ExitCode> Bench(const BenchFlags& flags, CommandContext& context) {
  if (flags.serves_bare) return ServeBare();
  WATTMINT_ASSIGN_OR_RETURN(const BenchServer core, FindBenchCore(context.settings));
  std::vector<Line> lines;
  for (const BenchTest& test : kTests) {
    if (!flags.tests.empty() && std::ranges::find(flags.tests, test.name) == flags.tests.end()) {
      continue;
    }
    WATTMINT_ASSIGN_OR_RETURN(const auto child, ChildProgram::Start({"bench", "--serve-bare"}));
    BenchServer bare;
    bare.name = "bare";
    bare.address.target = "127.0.0.1:" + child->line();
    bare.process = child->process();
    bare.is_core = false;
    const BenchServer* const both[] = {&core, &bare};
    for (const BenchServer* server : both) {
      WATTMINT_ASSIGN_OR_RETURN(BenchResult result, test.run(*server, flags.sizes));
      lines.push_back({server->name, std::move(result)});
      context.output.Json(JsonOf(lines.back()));
    }
  }
  PrintTable(lines, context.output);
  const bool has_failed =
      std::ranges::any_of(lines, [](const Line& line) { return line.result.errors > 0; });
  if (has_failed) return base::Unavailable("not every operation succeeded");
  return ExitCode::kOk;
}

}  // namespace

void DeclareBench(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<BenchFlags>();
  std::vector<std::string> names;
  for (const BenchTest& test : kTests) names.emplace_back(test.name);
  app.add_option("--test", flags->tests, "only this one; repeatable")->check(CLI::IsMember(names));
  BenchSizes& sizes = flags->sizes;
  const auto add = [&app](const char* name, int& value, const char* help, int max = 1'000'000) {
    app.add_option(name, value, help)->check(CLI::Range(1, max))->capture_default_str();
  };
  add("--messages", sizes.messages,
      "broadcast: readings of a meter of its own, of consumption, so that nothing is minted; a "
      "multiple of 100");
  add("--subscribers", sizes.subscribers, "broadcast: streams, each on its own connection");
  add("--connections", sizes.connections, "connections of the other tests");
  add("--subscriptions", sizes.subscriptions,
      "subscriptions: filters that are added on each connection, and removed again", 49);
  add("--checks", sizes.checks, "health: on each connection");
  app.add_flag("--serve-bare", flags->serves_bare,
               "be the bare gRPC server that the core is compared with, until the input ends");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Bench(*flags, context); });
}

}  // namespace wattmint::cli
