// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/feeder.h"

#include "core/base/assert.h"
#include "core/client/channel.h"
#include "tests/support/test_core.h"
#include "wattmint/v1/meter.grpc.pb.h"

#include <fmt/core.h>

#include <atomic>
#include <vector>

namespace wattmint::bench {
namespace {

constexpr std::int64_t kFirstSecond = 1'000'000'000;
constexpr int kRegistrars = 8;

}  // namespace

std::string MeterName(const std::string& prefix, int number) {
  return fmt::format("{}-{:05}", prefix, number);
}

void RegisterMeters(const Server& server, const std::string& prefix, int count) {
  if (!server.is_core()) return;
  const auto stub = v1::MeterService::NewStub(server.NewChannel());
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < count; i = next++) {
      v1::RegisterMeterRequest request;
      request.set_meter_id(MeterName(prefix, i));
      request.set_user_id(fmt::format("user-{}", i % 100));
      request.set_wallet_address(test::WalletAddress(i % 100));
      const auto answer =
          test::Call(*stub, &v1::MeterService::Stub::RegisterMeter, server.credential(), request);
      WATTMINT_ASSERT(answer.ok(), "{}", answer.status().ToString());
    }
  };
  std::vector<std::thread> registrars;
  for (int i = 0; i < kRegistrars; ++i) registrars.emplace_back(work);
  for (std::thread& registrar : registrars) registrar.join();
}

Feeder::Feeder(const Server& server, const Options& options)
    : options_(options),
      is_answered_(server.is_core()),
      next_(options.first),
      stub_(v1::ReadingService::NewStub(server.NewChannel())) {
  client::Attach(server.credential(), context_);
  request_.set_age_policy(v1::AGE_POLICY_ANY_AGE);
  for (int i = 0; i < options_.batch; ++i) {
    v1::ReadingInput& reading = *request_.add_readings();
    reading.set_energy_kwh("1.25");
    reading.mutable_interval()->set_seconds(60);
  }
  stream_ = stub_->StreamReadings(&context_);
  reader_ = std::thread([this] {
    v1::StreamReadingsResponse answer;
    while (stream_->Read(&answer)) {
      ++batches_;
      accepted_ += answer.counts().accepted();
    }
  });
}

Feeder::~Feeder() { Finish(); }

void Feeder::SendBatch() {
  for (v1::ReadingInput& reading : *request_.mutable_readings()) {
    reading.set_meter_id(MeterName(options_.prefix, static_cast<int>(next_ % options_.meters)));
    reading.mutable_interval_start()->set_seconds(kFirstSecond + 60 * (next_ / options_.meters));
    ++next_;
  }
  if (stream_->Write(request_)) return;
  Finish();  // says why
  WATTMINT_ASSERT(false, "the stream has ended");
}

void Feeder::Finish() {
  if (!reader_.joinable()) return;
  stream_->WritesDone();
  reader_.join();
  const grpc::Status status = stream_->Finish();
  WATTMINT_ASSERT(status.ok(), "{}", status.error_message());
  const std::int64_t sent = next_ - options_.first;
  WATTMINT_ASSERT(batches_ == sent / options_.batch, "{} batches of {}", batches_,
                  sent / options_.batch);
  WATTMINT_ASSERT(!is_answered_ || accepted_ == sent, "{} of {} accepted", accepted_, sent);
}

}  // namespace wattmint::bench
