// SPDX-License-Identifier: Apache-2.0
// Many at once: nobody is refused, everything is minted, each once.
#include "core/base/mutex.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

constexpr int kCallers = 1'000;
constexpr int kUsers = 20;

// Unary calls that are all in flight at the same time.
class CallsAtOnce {
 public:
  void Submit(TestCore& core, const v1::ReadingInput& reading) {
    InFlight& call = calls_.emplace_back();
    *call.request.mutable_reading() = reading;
    client::Attach(core.admin(), call.context);
    client::SetTimeout(std::chrono::seconds(60), call.context);
    core.readings().async()->SubmitReading(&call.context, &call.request, &call.response,
                                           [this, &call](const grpc::Status& status) {
                                             base::MutexLock lock(mutex_);
                                             call.status = status;
                                             ++done_;
                                             changed_.NotifyAll();
                                           });
  }
  // Waits for all of them. What was answered, by outcome and code.
  std::vector<v1::SubmitResult> Await() {
    base::MutexLock lock(mutex_);
    const auto all_done = [this]() WATTMINT_REQUIRES(mutex_) { return done_ == calls_.size(); };
    EXPECT_TRUE(changed_.WaitFor(mutex_, std::chrono::seconds(60), all_done));
    std::vector<v1::SubmitResult> results;
    for (InFlight& call : calls_) {
      EXPECT_TRUE(call.status.ok()) << call.status.error_message();
      results.push_back(call.response.result());
    }
    return results;
  }

 private:
  struct InFlight {
    grpc::ClientContext context;
    v1::SubmitReadingRequest request;
    v1::SubmitReadingResponse response;
    grpc::Status status;
  };
  std::deque<InFlight> calls_;  // addresses stay
  base::Mutex mutex_;           // guards done_ and the states
  base::CondVar changed_;
  std::size_t done_ WATTMINT_GUARDED_BY(mutex_) = 0;
};

// S2-51.
TEST(BurstTest, AThousandSubmissionsAtOnceAreAllMintedOnce) {
  TestCore core;
  for (int user = 0; user < kUsers; ++user) {
    core.RegisterMeter(fmt::format("m-{}", user), fmt::format("u-{}", user), WalletAddress(user));
  }
  CallsAtOnce calls;
  for (int i = 0; i < kCallers; ++i) {
    calls.Submit(core, QuarterHour(fmt::format("m-{}", i % kUsers), i / kUsers, "2.01"));
  }
  std::set<std::string> reading_ids;
  for (const v1::SubmitResult& result : calls.Await()) {
    EXPECT_EQ(result.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED) << result.message();
    reading_ids.insert(result.reading_id());
  }
  EXPECT_EQ(std::ssize(reading_ids), kCallers);
  core.WaitUntilMinted();
  std::set<std::string> minted;
  for (const v1::Event& event : core.ReadEvents(core.admin())) {
    if (!event.has_tokens_minted()) continue;
    EXPECT_TRUE(minted.insert(event.tokens_minted().reading_id()).second);
    EXPECT_EQ(event.tokens_minted().base_units(), 2'010'000'000);
  }
  EXPECT_EQ(minted, reading_ids);
  const auto supply = Call(core.mints(), &v1::MintService::Stub::GetSupply, core.admin(), {});
  ASSERT_THAT(supply, IsOk());
  EXPECT_EQ(supply->supply_base_units(), kCallers * 2'010'000'000LL);
  EXPECT_EQ(supply->parked_tasks(), 0);
}

}  // namespace
}  // namespace wattmint::test
