// SPDX-License-Identifier: Apache-2.0
// A burst of readings into the real core: mints a second, and the time from submission to the
// receipt of TokensMinted. Then the backlog query among many stored tasks.
// Usage: mint_bench [readings] [batch size of the minter] [stored tasks]
#include "core/base/mutex.h"
#include "core/client/event_subscriber.h"
#include "tests/support/test_core.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::test {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kMeters = 100;
constexpr int kRequests = 500;  // readings in one
constexpr int kDue = 50;

// When each reading was sent, and when its tokens were heard of.
class Stopwatch final : public client::EventListener {
 public:
  void Sent(const v1::SubmitResult& result, Steady::time_point at) {
    base::MutexLock lock(mutex_);
    sent_[result.reading_id()] = at;
  }
  void OnEstablished(const v1::Established&) override {}
  void OnEvents(std::span<const client::RawEvent> events) override {
    const auto now = Steady::now();
    for (const client::RawEvent& raw : events) {
      v1::Event event;
      if (!event.ParseFromArray(raw.payload.data(), static_cast<int>(raw.payload.size())))
        std::abort();
      if (!event.has_tokens_minted()) continue;
      base::MutexLock lock(mutex_);
      heard_.emplace_back(event.tokens_minted().reading_id(), now);
      changed_.NotifyAll();
    }
  }
  void OnHeartbeat(std::int64_t, std::int64_t) override {}
  void OnCaughtUp() override {}
  void OnLost(const absl::Status&, base::Duration) override {}
  void OnStopped(const absl::Status&) override {}

  void Await(int count) {
    base::MutexLock lock(mutex_);
    changed_.Wait(
        mutex_, [this, count]() WATTMINT_REQUIRES(mutex_) { return std::ssize(heard_) >= count; });
  }
  // In seconds, ascending.
  std::vector<double> Latencies() {
    base::MutexLock lock(mutex_);
    std::vector<double> seconds;
    for (const auto& [reading_id, at] : heard_) {
      seconds.push_back(std::chrono::duration<double>(at - sent_.at(reading_id)).count());
    }
    std::ranges::sort(seconds);
    return seconds;
  }

 private:
  base::Mutex mutex_;  // guards both
  base::CondVar changed_;
  absl::flat_hash_map<std::string, Steady::time_point> sent_ WATTMINT_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, Steady::time_point>> heard_ WATTMINT_GUARDED_BY(mutex_);
};

void SubmitPart(TestCore& core, Stopwatch& stopwatch, int first, int end) {
  for (int i = first; i < end; i += kRequests) {
    std::vector<v1::ReadingInput> readings;
    for (int k = i; k < std::min(i + kRequests, end); ++k) {
      readings.push_back(QuarterHour(fmt::format("m-{}", k % kMeters), -(k / kMeters), "2.01"));
    }
    const auto at = Steady::now();
    for (const auto& result : core.SubmitAll(readings)) stopwatch.Sent(result, at);
  }
}

void Burst(int readings, int batch) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.mints.batch_max = batch;
  TestCore core(options);
  for (int i = 0; i < kMeters; ++i) {
    core.RegisterMeter(fmt::format("m-{}", i), fmt::format("u-{}", i), WalletAddress(i));
  }
  Stopwatch stopwatch;
  client::EventSubscriber::Options follow;
  follow.credential = core.admin();
  client::EventSubscriber subscriber(core.NewChannel(), follow, stopwatch);
  subscriber.Start();
  core.WaitForStreams(1);
  const auto begin = Steady::now();
  std::vector<std::thread> senders;
  constexpr int kSenders = 4;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back(SubmitPart, std::ref(core), std::ref(stopwatch), readings / kSenders * s,
                         s + 1 == kSenders ? readings : readings / kSenders * (s + 1));
  }
  for (std::thread& sender : senders) sender.join();
  const double accepted = std::chrono::duration<double>(Steady::now() - begin).count();
  stopwatch.Await(readings);
  const double minted = std::chrono::duration<double>(Steady::now() - begin).count();
  const auto latencies = stopwatch.Latencies();
  fmt::print("{} readings in a burst, batches of {}: accepted in {:.2f} s, minted in {:.2f} s\n",
             readings, batch, accepted, minted);
  fmt::print("  {:.0f} mints/s; submission to TokensMinted p50 {:.2f} s, p95 {:.2f} s\n",
             readings / minted, latencies[latencies.size() / 2],
             latencies[latencies.size() * 95 / 100]);
}

// The minter is off: whatever is stored stays due, except by time.
void Backlog(int stored) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.mints.automatic = false;
  TestCore core(options);
  for (int i = 0; i < kMeters; ++i) {
    core.RegisterMeter(fmt::format("m-{}", i), "u", WalletAddress(i));
  }
  constexpr int kAtOnce = 10'000;
  for (int i = 0; i < stored; i += kAtOnce) {
    std::vector<v1::ReadingInput> readings;
    for (int k = i; k < i + kAtOnce; ++k) {
      readings.push_back(QuarterHour(fmt::format("m-{}", k % kMeters), -(k / kMeters), "1"));
    }
    core.SubmitAll(readings);
  }
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) {
    const auto begin = Steady::now();
    const auto due = core.database().queries().ListDueTasks(base::SystemClock().Now(), kDue, false);
    times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - begin).count());
    if (!due.ok() || std::ssize(*due) != kDue) std::abort();
  }
  std::ranges::sort(times);
  fmt::print("the {} tasks that are due longest among {}: median {:.3f} ms, slowest {:.3f} ms\n",
             kDue, stored, times[times.size() / 2], times.back());
}

int Main(int argc, char** argv) {
  const auto number = [&](int position, int otherwise) {
    return argc > position ? std::atoi(argv[position]) : otherwise;
  };
  spdlog::set_level(spdlog::level::warn);
  Burst(number(1, 25'000), number(2, 50));
  Backlog(number(3, 1'000'000));
  return 0;
}

}  // namespace
}  // namespace wattmint::test

int main(int argc, char** argv) { return wattmint::test::Main(argc, argv); }
