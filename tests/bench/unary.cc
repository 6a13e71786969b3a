// SPDX-License-Identifier: Apache-2.0
#include "core/client/channel.h"
#include "tests/bench/feeder.h"
#include "tests/bench/run.h"
#include "tests/bench/topics.h"

#include <CLI/App.hpp>
#include <fmt/core.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <vector>

namespace wattmint::bench {
namespace {

struct Flags {
  int calls = 200'000;
  int in_flight = 64;
};

struct Cost {
  double wall = 0;
  double cpu = 0;
};

// So many callers, each with one call at a time until all are made.
class Callers {
 public:
  Callers(const Server& server, const Flags& flags)
      : server_(server),
        flags_(flags),
        stub_(v1::ReadingService::NewStub(server.NewChannel())),
        slots_(static_cast<std::size_t>(flags.in_flight)) {}

  void Run() {
    for (Slot& slot : slots_) CallNext(slot);
    for (std::size_t i = 0; i < slots_.size(); ++i) ended_.acquire();
  }

 private:
  struct Slot {
    std::unique_ptr<grpc::ClientContext> context;
    v1::SubmitReadingRequest request;
    v1::SubmitReadingResponse response;
  };

  // Each slot has a meter of its own.
  void CallNext(Slot& slot) {
    const int number = next_++;
    if (number >= flags_.calls) return ended_.release();
    slot.context = std::make_unique<grpc::ClientContext>();
    client::Attach(server_.credential(), *slot.context);
    slot.request.set_age_policy(v1::AGE_POLICY_ANY_AGE);
    v1::ReadingInput& reading = *slot.request.mutable_reading();
    reading.set_meter_id(MeterName("m", static_cast<int>(&slot - slots_.data())));
    reading.set_energy_kwh("1.25");
    reading.mutable_interval_start()->set_seconds(1'000'000'000 + 60LL * number);
    reading.mutable_interval()->set_seconds(60);
    stub_->async()->SubmitReading(slot.context.get(), &slot.request, &slot.response,
                                  [this, &slot](const grpc::Status& status) {
                                    WATTMINT_ASSERT(status.ok() && IsAccepted(slot), "{}",
                                                    status.error_message());
                                    CallNext(slot);
                                  });
  }
  static bool IsAccepted(const Slot& slot) {
    return slot.response.result().outcome() == v1::SUBMIT_OUTCOME_ACCEPTED;
  }

  const Server& server_;
  const Flags& flags_;
  std::unique_ptr<v1::ReadingService::Stub> stub_;
  std::vector<Slot> slots_;
  std::atomic<int> next_{0};
  std::counting_semaphore<> ended_{0};
};

Cost Call(const Server& server, const Flags& flags) {
  RegisterMeters(server, "m", flags.in_flight);
  Callers callers(server, flags);
  const Watch watch(server);
  callers.Run();
  return {watch.Seconds(), watch.CpuSeconds()};
}

Figures Measure(const Flags& flags, const Rounds& rounds) {
  Figures figures("unary");
  for (int round = 0; round < rounds.count; ++round) {
    const Cost ours = Call(*Server::Core(), flags);
    const Cost bare = Call(*Server::Bare(1, 1), flags);
    Figure& rate =
        figures.Of(fmt::format("{} in flight", flags.in_flight), "calls/s", Better::kHigher);
    rate.ours.push_back(flags.calls / ours.wall);
    rate.other.push_back(flags.calls / bare.wall);
    Figure& cpu = figures.Of("CPU of a call", "us", Better::kLower);
    cpu.ours.push_back(1e6 * ours.cpu / flags.calls);
    cpu.other.push_back(1e6 * bare.cpu / flags.calls);
  }
  return figures;
}

}  // namespace

TopicBody DeclareUnary(CLI::App& app) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<Flags>();
  app.add_option("--calls", flags->calls, "how many in a round")->capture_default_str();
  app.add_option("--in-flight", flags->in_flight, "at a time")->capture_default_str();
  return [flags](const Rounds& rounds) { return Measure(*flags, rounds); };
}

}  // namespace wattmint::bench
