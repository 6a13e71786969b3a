// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_runs.h"

#include "cli/audience.h"
#include "cli/bench_calls.h"
#include "cli/child_program.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/wire/convert.h"
#include "wattmint/v1/event.pb.h"
#include "wattmint/v1/meter.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace wattmint::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{1};

// The clock of a run, which ends with Finish().
class Run {
 public:
  explicit Run(std::string test_name) { result_.test_name = std::move(test_name); }
  BenchResult Finish(const BenchServer& server, std::int64_t operations, std::int64_t succeeded) {
    result_.duration_seconds = std::chrono::duration<double>(Steady::now() - start_).count();
    result_.operations = operations;
    result_.succeeded = succeeded;
    result_.errors = operations - succeeded;
    if (server.process) {
      result_.memory_mebibytes = static_cast<double>(ResidentBytes(*server.process)) / (1 << 20);
    }
    return std::move(result_);
  }

 private:
  BenchResult result_;
  const Steady::time_point start_ = Steady::now();
};

std::vector<std::shared_ptr<grpc::Channel>> OpenChannels(const BenchServer& server, int count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) channels.push_back(server.NewChannel());
  return channels;
}

absl::Status Connect(const std::vector<std::shared_ptr<grpc::Channel>>& channels) {
  for (const auto& channel : channels) channel->GetState(true);
  const auto deadline = std::chrono::system_clock::now() + kPatience;
  for (const auto& channel : channels) {
    if (!channel->WaitForConnected(deadline)) return base::Unavailable("a connection fails");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RegisterMeter(const BenchServer& server) {
  v1::RegisterMeterRequest request;
  request.set_meter_id(fmt::format("bench-{:016x}", base::SystemRandom().NextUint64()));
  request.set_user_id("bench");
  if (!server.is_core) return request.meter_id();
  grpc::ClientContext context;
  client::Attach(server.credential, context);
  client::SetTimeout(kPatience, context);
  context.set_wait_for_ready(true);
  v1::RegisterMeterResponse response;
  const auto stub = v1::MeterService::NewStub(server.NewChannel());
  const grpc::Status status = stub->RegisterMeter(&context, request, &response);
  if (!status.ok()) return client::FromGrpc(status);
  return request.meter_id();
}

// Second after second, up to now.
v1::StreamReadingsRequest NextBatch(const std::string& meter_id, base::Time& start) {
  v1::StreamReadingsRequest batch;
  for (int i = 0; i < kBenchBatch; ++i) {
    v1::ReadingInput& reading = *batch.add_readings();
    reading.set_meter_id(meter_id);
    reading.set_energy_kwh("0.001");
    reading.set_channel(v1::ENERGY_CHANNEL_CONSUMPTION);
    wire::ToProto(start, *reading.mutable_interval_start());
    reading.mutable_interval()->set_seconds(1);
    start += std::chrono::seconds(1);
  }
  return batch;
}

// Sends so many batches and waits for their acknowledgements. Errors: the call's;
// kFailedPrecondition for a reading that was refused.
absl::Status SendReadings(const BenchServer& server, const std::string& meter_id, int batches) {
  grpc::ClientContext context;
  client::Attach(server.credential, context);
  client::SetTimeout(kPatience, context);
  context.set_wait_for_ready(true);
  const auto stub = v1::ReadingService::NewStub(server.NewChannel());
  const auto stream = stub->StreamReadings(&context);
  absl::Status refused;
  std::thread reader([&stream, &refused] {
    for (v1::StreamReadingsResponse answer; stream->Read(&answer);) {
      if (!refused.ok() || answer.rejected().empty()) continue;
      refused = base::FailedPrecondition("a reading was refused: {}",
                                         answer.rejected(0).result().message());
    }
  });
  base::Time start = std::chrono::floor<std::chrono::seconds>(base::SystemClock().Now()) -
                     std::chrono::seconds(kBenchBatch) * batches;
  for (int i = 0; i < batches && stream->Write(NextBatch(meter_id, start)); ++i) {
  }
  stream->WritesDone();
  reader.join();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return client::FromGrpc(status);
  return refused;
}

}  // namespace

double BenchResult::OperationsPerSecond() const {
  return duration_seconds > 0 ? static_cast<double>(succeeded) / duration_seconds : 0;
}

double BenchResult::SuccessRate() const {
  return operations > 0 ? static_cast<double>(succeeded) / static_cast<double>(operations) : 0;
}

absl::StatusOr<BenchResult> BenchBroadcast(const BenchServer& server, const BenchSizes& sizes) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string meter_id, RegisterMeter(server));
  v1::SubscribeRequest request;
  request.mutable_filter()->add_meter_ids(meter_id);
  const std::string bytes = request.SerializeAsString();
  Audience audience({.subscribers = sizes.subscribers});
  for (int i = 0; i < sizes.subscribers; ++i) {
    audience.Add(server.NewChannel(), server.credential, bytes);
  }
  WATTMINT_RETURN_IF_ERROR(audience.AwaitCaughtUp(kPatience));
  const int batches = std::max(1, sizes.messages / kBenchBatch);
  const std::int64_t wanted = std::int64_t{batches} * kBenchBatch * sizes.subscribers;
  Run run("broadcast");
  WATTMINT_RETURN_IF_ERROR(SendReadings(server, meter_id, batches));
  const absl::Status all = audience.AwaitEvents(wanted, kPatience);
  return run.Finish(server, wanted, all.ok() ? wanted : std::min(wanted, audience.events()));
}

absl::StatusOr<BenchResult> BenchConnections(const BenchServer& server, const BenchSizes& sizes) {
  Run run("connections");
  Audience audience({.subscribers = sizes.connections});
  for (int i = 0; i < sizes.connections; ++i) {
    audience.Add(server.NewChannel(), server.credential, {});
  }
  static_cast<void>(audience.AwaitCaughtUp(kPatience));  // who has not is counted
  const std::int64_t opened = audience.caught_up();
  audience.Close();
  return run.Finish(server, 2 * std::int64_t{sizes.connections}, 2 * opened);
}

absl::StatusOr<BenchResult> BenchSubscriptions(const BenchServer& server, const BenchSizes& sizes) {
  const auto channels = OpenChannels(server, sizes.connections);
  WATTMINT_RETURN_IF_ERROR(Connect(channels));
  Run run("subscriptions");
  const std::int64_t succeeded =
      CountChanges(channels, server.credential, sizes.subscriptions, kPatience);
  return run.Finish(server, 2 * std::int64_t{sizes.connections} * sizes.subscriptions, succeeded);
}

absl::StatusOr<BenchResult> BenchHealth(const BenchServer& server, const BenchSizes& sizes) {
  const auto channels = OpenChannels(server, sizes.connections);
  WATTMINT_RETURN_IF_ERROR(Connect(channels));
  Run run("health");
  const std::int64_t succeeded = CountHealthChecks(channels, sizes.checks, kPatience);
  return run.Finish(server, std::int64_t{sizes.connections} * sizes.checks, succeeded);
}

}  // namespace wattmint::cli
