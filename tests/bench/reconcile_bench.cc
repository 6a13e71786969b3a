// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconciler.h"
#include "core/mint/supply.h"
#include "tests/support/engine.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

// What it costs to compare ledger and log, when all is well.
//   reconcile_bench [mints]
namespace wattmint::test {
namespace {

constexpr int kMeters = 100;
constexpr int kRounds = 5;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Resident memory of the process now, in MiB.
double ResidentMebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

void Mint(Engine& engine, int mints) {
  for (int meter = 0; meter < kMeters; ++meter) {
    const std::string id = fmt::format("meter-{}", meter);
    engine.Register(id, "user-" + id);
    std::vector<domain::Reading> readings;
    for (int hour = mints / kMeters; hour > 0; --hour) {
      readings.push_back(engine.Hour(id, hour, "1.25"));
    }
    Engine::Value(engine.TrySubmit({.user_id = "importer", .any_meter = true, .any_age = true},
                                   std::move(readings)));
  }
  engine.MintAll();
}

template <typename Work>
void Report(std::string_view what, Work work) {
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = CpuSeconds();
    const double resident = ResidentMebibytes();
    work();
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - begin;
    fmt::print("{}: {:.1f} ms, {:.1f} ms of CPU, {:+.1f} MiB\n", what, wall.count(),
               (CpuSeconds() - cpu) * 1e3, ResidentMebibytes() - resident);
  }
}

void Run(int mints) {
  Engine engine({.automatic = true, .batch_max = 1'000});
  Mint(engine, mints);
  Report(fmt::format("reconcile {} mints", mints), [&] {
    const auto found = Engine::Value(mint::Reconcile(
        engine.queries(), engine.ledger(), {.ratios = {domain::Ratio()}, .is_cancelled = {}}));
    WATTMINT_ASSERT(found.IsHealthy() && found.mints_checked == mints, "{} of {} mints",
                    found.mints_checked, mints);
  });
  Report("check the supply", [&] {
    const auto check = Engine::Value(mint::CheckSupply(engine.queries(), engine.ledger()));
    WATTMINT_ASSERT(check.IsBalanced(), "{} unexplained", check.unexplained_base_units);
  });
}

}  // namespace
}  // namespace wattmint::test

int main(int argc, char** argv) {
  int mints = 100'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::string_view(argv[1]).size(), mints);
  wattmint::test::Run(mints);
}
