// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/refusals.h"

#include "core/base/assert.h"
#include "tests/support/test_core.h"
#include "wattmint/v1/meter.grpc.pb.h"

#include <fmt/core.h>

namespace wattmint::bench {
namespace {

constexpr const char* kMeter = "m";
constexpr std::int64_t kFirstSecond = 1'000'000'000;

}  // namespace

Refusals::Refusals(const Server& core)
    : credential_(core.credential()), stub_(v1::ReadingService::NewStub(core.NewChannel())) {
  v1::RegisterMeterRequest meter;
  meter.set_meter_id(kMeter);
  meter.set_user_id("u");
  const auto stub = v1::MeterService::NewStub(core.NewChannel());
  const auto answer = test::Call(*stub, &v1::MeterService::Stub::RegisterMeter, credential_, meter);
  WATTMINT_ASSERT(answer.ok(), "{}", answer.status().ToString());
  request_.set_age_policy(v1::AGE_POLICY_ANY_AGE);
}

std::string Refusals::Subscription(int) {
  return R"("event_types":["MeterReadingValidationFailed"])";
}

void Refusals::Commit(int count) {
  WATTMINT_ASSERT(0 < count && count <= kBatchMax, "{} events", count);
  while (request_.readings_size() > count) request_.mutable_readings()->RemoveLast();
  while (request_.readings_size() < count) {
    v1::ReadingInput& reading = *request_.add_readings();
    reading.set_meter_id(kMeter);
    reading.set_energy_kwh("-1");
    reading.mutable_interval_start()->set_seconds(kFirstSecond);
    reading.mutable_interval()->set_seconds(60);
  }
  const auto answer =
      test::Call(*stub_, &v1::ReadingService::Stub::SubmitReadings, credential_, request_);
  WATTMINT_ASSERT(answer.ok(), "{}", answer.status().ToString());
}

}  // namespace wattmint::bench
