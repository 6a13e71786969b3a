// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/runner.h"

#include "tests/simulation/planted.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace wattmint::simulation {
namespace {

// Of real time, for one seed; chosen: the slowest takes 2 s under a sanitizer.
constexpr unsigned kSecondsMax = 180;

std::string g_program = "simulation_test";
std::string g_replay;  // how to see again what runs now

// An assertion of production ends the process, and so does a seed that stands still: say at least
// which.
void TellSeed(int signal) {
  static_cast<void>(!write(STDERR_FILENO, g_replay.data(), g_replay.size()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::string ReplayCommand(std::uint64_t seed, const Settings& settings) {
  std::string command = fmt::format("{} --seed {} --trace", g_program, seed);
  if (!Planted().empty()) command += fmt::format(" --bug {}", Planted());
  for (std::size_t i = 0; i < kFaults; ++i) {
    if ((settings.allowed_faults >> i & 1) != 0) continue;
    command += fmt::format(" --without {}", Name(static_cast<Fault>(i)));
  }
  return command;
}

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1;
  std::int64_t seeds = 0;
  Settings settings;
};

std::uint32_t MaskOf(std::string_view name) {
  const auto fault = ParseFault(name);
  if (!fault) {
    fmt::print(stderr, "there is no fault '{}'\n", name);
    std::exit(2);
  }
  return 1u << static_cast<unsigned>(*fault);
}

Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  bool has_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--trace") {
      arguments.settings.prints = true;
      continue;
    }
    ++i;
    if (flag == "--seed") {
      arguments.seed = std::strtoull(value, nullptr, 10);
    } else if (flag == "--seeds") {
      arguments.seeds = std::strtoll(value, nullptr, 10);
    } else if (flag == "--first") {
      arguments.first = std::strtoull(value, nullptr, 10);
    } else if (flag == "--only") {
      if (!std::exchange(has_only, true)) arguments.settings.allowed_faults = 0;
      arguments.settings.allowed_faults |= MaskOf(value);
    } else if (flag == "--without") {
      arguments.settings.allowed_faults &= ~MaskOf(value);
    } else if (flag == "--bug") {
      Plant(value);
    } else {
      fmt::print(stderr, "unknown flag '{}'\n", flag);
      std::exit(2);
    }
  }
  return arguments;
}

int Print(const Report& report, std::chrono::steady_clock::duration took) {
  for (const std::string& violation : report.violations) fmt::print("{}\n", violation);
  for (std::size_t i = 0; i < kRareStates; ++i) {
    fmt::print("{:>10} {}\n", report.coverage.Of(static_cast<Rare>(i)), Name(static_cast<Rare>(i)));
  }
  fmt::print("{} seeds, {} events, {} mints, {} violations, trace {:016x}, {} s\n", report.seeds,
             report.events, report.mints, report.violations.size(), report.trace,
             std::chrono::duration_cast<std::chrono::seconds>(took).count());
  return report.violations.empty() ? 0 : 1;
}

}  // namespace

Report RunSeeds(std::uint64_t first, std::int64_t count, const Settings& settings,
                std::size_t violations_max) {
  Report report;
  for (std::uint64_t seed = first; report.seeds < count; ++seed) {
    g_replay = fmt::format("seed {}; replay with {}\n", seed, ReplayCommand(seed, settings));
    alarm(kSecondsMax);
    const Outcome outcome = Simulate(seed, settings);
    ++report.seeds;
    report.trace = report.trace * 1'099'511'628'211u ^ outcome.trace;
    report.events += outcome.events;
    report.mints += outcome.mints;
    report.coverage.Add(outcome.coverage);
    if (outcome.violation.empty()) continue;
    report.violations.push_back(fmt::format("seed {}: {}; replay with {}", seed, outcome.violation,
                                            ReplayCommand(seed, settings)));
    if (report.violations.size() >= violations_max) break;
  }
  alarm(0);
  return report;
}

int Main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  spdlog::set_level(spdlog::level::off);
  g_program = argv[0];
  std::signal(SIGABRT, TellSeed);
  std::signal(SIGALRM, TellSeed);
  const Arguments arguments = Parse(argc, argv);
  if (!arguments.seed && arguments.seeds == 0) return RUN_ALL_TESTS();
  const auto began = std::chrono::steady_clock::now();
  const Report report = RunSeeds(arguments.seed.value_or(arguments.first),
                                 arguments.seed ? 1 : arguments.seeds, arguments.settings, 20);
  return Print(report, std::chrono::steady_clock::now() - began);
}

}  // namespace wattmint::simulation
