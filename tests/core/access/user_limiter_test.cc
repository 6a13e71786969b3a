// SPDX-License-Identifier: Apache-2.0
#include "core/access/user_limiter.h"

#include "tests/core/access/status_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::StatusIs;

Principal UserOf(std::string user_id, RoleSet roles = {Role::kUser}) {
  Principal user;
  user.user_id = std::move(user_id);
  user.roles = roles;
  return user;
}

class UserLimiterTest : public testing::Test {
 protected:
  // How many calls go through before the first that does not.
  int Calls(UserLimiter& limiter, const Principal& user, RateClass rate_class = RateClass::kLight) {
    int count = 0;
    while (count < 10'000 && limiter.Take(user, rate_class).ok()) ++count;
    return count;
  }

  test::FakeClock clock_;
  const Principal ada_ = UserOf("ada");
};

TEST_F(UserLimiterTest, AUserMayMakeTwoSecondsOfCallsAtOnce) {
  UserLimiter limiter(50, clock_);
  EXPECT_EQ(Calls(limiter, ada_), 100);
  clock_.Advance(1s);
  EXPECT_EQ(Calls(limiter, ada_), 50);
}

TEST_F(UserLimiterTest, TheRefusalSaysWhenToTryAgain) {
  UserLimiter limiter(50, clock_);
  Calls(limiter, ada_);
  const absl::Status refusal = limiter.Take(ada_, RateClass::kLight);
  EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(refusal, HasReason("RATE_LIMITED"));
  EXPECT_EQ(RetryAfterOf(refusal), 20ms);
  EXPECT_EQ(RetryAfterOf(limiter.Take(ada_, RateClass::kHeavy)), 200ms);
  clock_.Advance(20ms);
  EXPECT_THAT(limiter.Take(ada_, RateClass::kLight), IsOk());
}

TEST_F(UserLimiterTest, AHeavyCallCountsForTen) {
  UserLimiter limiter(50, clock_);
  EXPECT_EQ(Calls(limiter, ada_, RateClass::kHeavy), 10);
}

TEST_F(UserLimiterTest, EvenTheLowestRateLetsAHeavyCallThrough) {
  UserLimiter limiter(1, clock_);
  EXPECT_EQ(Calls(limiter, ada_, RateClass::kHeavy), 1);
  clock_.Advance(10s);
  EXPECT_EQ(Calls(limiter, ada_, RateClass::kHeavy), 1);
}

TEST_F(UserLimiterTest, OneUserDoesNotLimitAnother) {
  UserLimiter limiter(5, clock_);
  EXPECT_EQ(Calls(limiter, ada_), 10);
  EXPECT_EQ(Calls(limiter, UserOf("bob")), 10);
}

TEST_F(UserLimiterTest, AllCredentialsOfAUserShareTheRate) {
  UserLimiter limiter(5, clock_);
  Principal by_key = ada_;
  by_key.credential = CredentialKind::kApiKey;
  by_key.key_id = "abcdefgh";
  EXPECT_EQ(Calls(limiter, by_key), 10);
  EXPECT_THAT(limiter.Take(ada_, RateClass::kLight), HasReason("RATE_LIMITED"));
}

TEST_F(UserLimiterTest, WhoServesOthersIsNotLimited) {
  UserLimiter limiter(1, clock_);
  for (const Role role : {Role::kIngest, Role::kAdmin, Role::kRelay}) {
    EXPECT_EQ(Calls(limiter, UserOf("ada", {Role::kUser, role})), 10'000);
  }
  EXPECT_EQ(Calls(limiter, UserOf("vic", {Role::kViewer})), 10);
  EXPECT_EQ(limiter.users_count(), 1u);
}

TEST_F(UserLimiterTest, NoLimitKeepsNothing) {
  UserLimiter limiter(0, clock_);
  EXPECT_EQ(Calls(limiter, ada_, RateClass::kHeavy), 10'000);
  EXPECT_EQ(limiter.users_count(), 0u);
}

TEST_F(UserLimiterTest, MemoryIsBoundedAndTheBusyStayLimited) {
  UserLimiter limiter(5, clock_);
  for (int i = 0; i < 200'000; ++i) {
    if (i % 1'000 == 0) {
      Calls(limiter, ada_);
      clock_.Advance(100ms);
    }
    ASSERT_THAT(limiter.Take(UserOf("user-" + std::to_string(i)), RateClass::kLight), IsOk());
    if (i % 100 == 0) {
      ASSERT_LE(limiter.users_count(), UserLimiter::kUsersMax);
    }
  }
  EXPECT_LE(Calls(limiter, ada_), 1) << "the rested were forgotten, and nobody else";
}

TEST_F(UserLimiterTest, MoreActiveUsersThanThereIsRoomForBeginAnew) {
  UserLimiter limiter(5, clock_);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_THAT(limiter.Take(UserOf("user-" + std::to_string(i)), RateClass::kLight), IsOk());
  }
  EXPECT_LE(limiter.users_count(), UserLimiter::kUsersMax);
}

TEST_F(UserLimiterTest, ManyThreadsShareOneRate) {
  UserLimiter limiter(500, clock_);
  std::atomic<int> through = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int call = 0; call < 500; ++call) {
        if (limiter.Take(ada_, RateClass::kLight).ok()) ++through;
        limiter.Take(UserOf(std::to_string(call)), RateClass::kLight).IgnoreError();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(through, 1'000);
}

}  // namespace
}  // namespace wattmint::access
