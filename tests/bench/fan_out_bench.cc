// SPDX-License-Identifier: Apache-2.0
// How many events a second reach a hundred subscribers: the real core, clients in this process.
// Usage: fan_out_bench [subscribers] [thousands of readings]
#include "core/client/event_frame.h"
#include "tests/support/test_core.h"

#include <fmt/core.h>
#include <grpcpp/generic/generic_stub.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace wattmint::test {
namespace {

using Steady = std::chrono::steady_clock;

// Reads a stream as the resuming subscriber does, and counts.
class Subscriber final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Subscriber(TestCore& core, std::int64_t last, std::counting_semaphore<>& ready,
             std::counting_semaphore<>& done)
      : last_(last), ready_(ready), done_(done), stub_(core.NewChannel()) {
    client::Attach(core.admin(), context_);
    const grpc::Slice request(FromStart().SerializeAsString());
    request_ = grpc::ByteBuffer(&request, 1);
    stub_.PrepareBidiStreamingCall(&context_, "/wattmint.v1.EventService/Subscribe", {}, this);
    StartWriteLast(&request_, {});
    StartRead(&buffer_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    grpc::Slice slice;
    if (!buffer_.TrySingleSlice(&slice).ok()) buffer_.DumpToSingleSlice(&slice);
    const auto frame =
        client::ParseEventFrame({reinterpret_cast<const char*>(slice.begin()), slice.size()});
    if (frame->control.has_caught_up()) ready_.release();
    for (const auto& event : frame->events) sequence_ = event.sequence;
    events_ += std::ssize(frame->events);
    ++messages_;
    if (sequence_ == last_) {
      done_.release();
      context_.TryCancel();
      return;
    }
    StartRead(&buffer_);
  }
  void OnDone(const grpc::Status&) override { ended_.release(); }
  void AwaitEnd() { ended_.acquire(); }

  std::int64_t events_ = 0;
  std::int64_t messages_ = 0;

 private:
  static v1::SubscribeRequest FromStart() { return {}; }

  const std::int64_t last_;
  std::counting_semaphore<>& ready_;
  std::counting_semaphore<>& done_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer buffer_;
  std::int64_t sequence_ = 0;
  std::binary_semaphore ended_{0};
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// One sender, batches of a thousand, several in flight.
void SubmitThousands(TestCore& core, int thousands) {
  grpc::ClientContext context;
  client::Attach(core.admin(), context);
  const auto stream = core.readings().StreamReadings(&context);
  std::thread reader([&stream] {
    v1::StreamReadingsResponse answer;
    while (stream->Read(&answer)) {
    }
  });
  v1::StreamReadingsRequest batch;
  batch.set_age_policy(v1::AGE_POLICY_ANY_AGE);
  for (int i = 0; i < 1'000; ++i) *batch.add_readings() = QuarterHour("m-1", 0, "1.25");
  for (int i = 0; i < thousands; ++i) {
    for (int j = 0; j < 1'000; ++j) {
      batch.mutable_readings(j)->mutable_interval_start()->set_seconds(1'000'000'000 +
                                                                       60LL * (i * 1'000 + j));
      batch.mutable_readings(j)->mutable_interval()->set_seconds(60);
    }
    stream->Write(batch);
  }
  stream->WritesDone();
  reader.join();
  stream->Finish();
}

void Run(int subscribers_count, int thousands) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.mints.automatic = false;
  TestCore core(options);
  core.RegisterMeter("m-1", "ada", WalletAddress(1));
  const std::int64_t last = 1 + 2'000LL * thousands;
  std::counting_semaphore<> ready(0);
  std::counting_semaphore<> done(0);
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < subscribers_count; ++i) {
    subscribers.push_back(std::make_unique<Subscriber>(core, last, ready, done));
  }
  for (int i = 0; i < subscribers_count; ++i) ready.acquire();
  const auto start = Steady::now();
  const double cpu = CpuSeconds();
  SubmitThousands(core, thousands);
  const std::chrono::duration<double> submitted = Steady::now() - start;
  for (int i = 0; i < subscribers_count; ++i) done.acquire();
  const std::chrono::duration<double> delivered = Steady::now() - start;
  std::int64_t events = 0;
  std::int64_t messages = 0;
  for (const auto& subscriber : subscribers) {
    subscriber->AwaitEnd();
    events += subscriber->events_;
    messages += subscriber->messages_;
  }
  fmt::print(
      "{} subscribers, {} readings: {:.0f} durable readings/s, {:.0f} events/s delivered, "
      "{:.1f} events a message, {:.1f} s of CPU in {:.1f} s\n",
      subscribers_count, 1'000 * thousands, 1'000 * thousands / submitted.count(),
      static_cast<double>(events) / delivered.count(),
      static_cast<double>(events) / static_cast<double>(messages), CpuSeconds() - cpu,
      delivered.count());
}

}  // namespace
}  // namespace wattmint::test

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  wattmint::test::Run(argc > 1 ? std::atoi(argv[1]) : 100, argc > 2 ? std::atoi(argv[2]) : 100);
}
