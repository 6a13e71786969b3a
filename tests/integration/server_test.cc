// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include "grpc/health/v1/health.pb.h"
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace wattmint::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Field numbers of grpc.reflection.v1alpha.ServerReflectionRequest.
constexpr char kFileContainingSymbol = 4;
constexpr char kListServices = 7;

// Sends one message by the name of the method and reads one back, as bytes.
absl::StatusOr<std::string> Exchange(const std::shared_ptr<grpc::Channel>& channel,
                                     const std::string& method, const std::string& request) {
  grpc::ClientContext context;
  client::SetTimeout(std::chrono::seconds(20), context);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  wait();
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  wait();
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  std::string bytes;
  if (wait()) {
    grpc::Slice whole;
    EXPECT_TRUE(response.DumpToSingleSlice(&whole).ok());
    bytes.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  if (!status.ok()) return client::FromGrpc(status);
  return bytes;
}

std::string Reflect(TestCore& core, char field, const std::string& text) {
  std::string request(1, static_cast<char>(field << 3 | 2));
  request += static_cast<char>(text.size());
  request += text;
  const auto answer = Exchange(
      core.channel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", request);
  EXPECT_THAT(answer, IsOk());
  return answer.value_or("");
}

TEST(ServerTest, ReflectionListsAndDescribesEveryService) {
  TestCore core;
  const std::string services = Reflect(core, kListServices, "*");
  for (const char* service :
       {"wattmint.v1.AccessService", "wattmint.v1.AlertService", "wattmint.v1.EventService",
        "wattmint.v1.MeterService", "wattmint.v1.MintService", "wattmint.v1.ReadingService",
        "grpc.health.v1.Health"}) {
    EXPECT_THAT(services, HasSubstr(service));
    EXPECT_THAT(Reflect(core, kFileContainingSymbol, service), Not(HasSubstr("not found")));
  }
  EXPECT_THAT(Reflect(core, kFileContainingSymbol, "grpc.health.v1.Health"),
              HasSubstr("HealthCheckRequest"));
  EXPECT_THAT(Reflect(core, kFileContainingSymbol, "wattmint.v1.EventService"),
              HasSubstr("SubscribeRequest"));
}

TEST(ServerTest, HealthIsToldWithoutACredential) {
  TestCore core;
  const auto answer = Exchange(core.channel(), "/grpc.health.v1.Health/Check", "");
  ASSERT_THAT(answer, IsOk());
  grpc::health::v1::HealthCheckResponse health;
  ASSERT_TRUE(health.ParseFromString(*answer));
  EXPECT_EQ(health.status(), grpc::health::v1::HealthCheckResponse::SERVING);
}

TEST(ServerTest, ASecondServerOnTheSamePortDoesNotStart) {
  TestCore core;
  base::SystemClock clock;
  base::SystemRandom random;
  rpc::LiveStreams streams(clock, {.streams_max = 1});
  rpc::ServerOptions options;
  options.address = core.address();
  const auto second = rpc::Server::Start(options, {}, streams, random);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(core.address())));
}

class ServerOptionsTest : public testing::Test {
 protected:
  absl::Status Start(const rpc::ServerOptions& options) {
    return rpc::Server::Start(options, {}, streams_, random_).status();
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  rpc::LiveStreams streams_{clock_, {.streams_max = 1}};
};

TEST_F(ServerOptionsTest, AddressesAndCertificatesThatAreNoneAreRefused) {
  rpc::ServerOptions options;
  options.address = "no.such.host.invalid:1";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kUnavailable));
  options.address = "127.0.0.1:0";
  options.tls.certificate = "/nowhere/cert.pem";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kInvalidArgument));
  options.tls.key = "/nowhere/key.pem";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ServerTest, ARequestThatIsTooLargeIsRefused) {
  TestCore core;
  core.RegisterMeter("m-1", "ada");
  v1::SubmitReadingRequest request;
  *request.mutable_reading() = QuarterHour("m-1", 0, "1");
  request.mutable_reading()->set_meter_signature(std::string(9 << 20, 'x'));
  EXPECT_THAT(
      Call(core.readings(), &v1::ReadingService::Stub::SubmitReading, core.admin(), request),
      StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ServerTest, StoppingFinishesWhatWasAccepted) {
  TestCore core;
  core.RegisterMeter("m-1", "ada");
  constexpr int kCallers = 8;
  std::vector<std::thread> callers;
  std::atomic<int> accepted{0};
  std::atomic<int> begun{0};
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&core, &accepted, &begun, i] {
      for (int j = 0; j < 10'000; ++j) {
        v1::SubmitReadingRequest request;
        *request.mutable_reading() = QuarterHour("m-1", 0, "1");
        request.mutable_reading()->mutable_interval_start()->set_seconds(1'000'000'000 +
                                                                         900LL * (i * 10'000 + j));
        request.set_age_policy(v1::AGE_POLICY_ANY_AGE);
        const auto answer =
            Call(core.readings(), &v1::ReadingService::Stub::SubmitReading, core.admin(), request);
        ++begun;
        if (!answer.ok()) return;
        accepted += answer->result().outcome() == v1::SUBMIT_OUTCOME_ACCEPTED ? 1 : 0;
      }
    });
  }
  core.WaitForHead(50);
  core.app().Stop();
  for (std::thread& caller : callers) caller.join();
  core.Restart();
  const auto stats =
      Call(core.readings(), &v1::ReadingService::Stub::GetReadingStats, core.admin(), {});
  ASSERT_THAT(stats, IsOk());
  EXPECT_GT(accepted.load(), 0);
  EXPECT_GE(stats->total().readings(), accepted.load());
  EXPECT_LE(stats->total().readings(), begun.load());
}

}  // namespace
}  // namespace wattmint::test
