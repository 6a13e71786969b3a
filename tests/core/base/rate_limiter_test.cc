// SPDX-License-Identifier: Apache-2.0
#include "core/base/rate_limiter.h"

#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace wattmint::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kTaken{0};

class RateLimiterTest : public testing::Test {
 protected:
  test::FakeClock clock_;
};

TEST_F(RateLimiterTest, LetsABurstThroughAndThenTheRate) {
  RateLimiter limiter({.capacity = 3, .refill_per_second = 2}, clock_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take(), kTaken);
  EXPECT_EQ(limiter.Take(), milliseconds(500));
  clock_.Advance(milliseconds(499));
  EXPECT_EQ(limiter.Take(), milliseconds(1));
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(limiter.Take(), kTaken);
  EXPECT_EQ(limiter.Take(), milliseconds(500));
}

TEST_F(RateLimiterTest, TakesNothingWhenItRefuses) {
  RateLimiter limiter({.capacity = 10, .refill_per_second = 1}, clock_);
  EXPECT_EQ(limiter.Take(7), kTaken);
  EXPECT_EQ(limiter.Take(4), seconds(1));
  EXPECT_EQ(limiter.Available(), 3);
  EXPECT_EQ(limiter.Take(3), kTaken);
  EXPECT_EQ(limiter.Available(), 0);
  EXPECT_EQ(limiter.Take(0), kTaken);
}

TEST_F(RateLimiterTest, NeverHoldsMoreThanItsCapacity) {
  RateLimiter limiter({.capacity = 5, .refill_per_second = 100}, clock_);
  clock_.Advance(std::chrono::hours(24));
  EXPECT_EQ(limiter.Available(), 5);
  EXPECT_EQ(limiter.Take(6), Duration::max());
  EXPECT_EQ(limiter.Take(5), kTaken);
}

TEST_F(RateLimiterTest, CountsLessThanOneASecond) {
  RateLimiter limiter({.capacity = 1, .refill_per_second = 1.0 / 300}, clock_);
  EXPECT_EQ(limiter.Take(), kTaken);
  clock_.Advance(minutes(4));
  EXPECT_EQ(limiter.Take(), minutes(1));
  clock_.Advance(minutes(1));
  EXPECT_EQ(limiter.Take(), kTaken);
}

TEST_F(RateLimiterTest, IgnoresAWallClockThatIsSet) {
  RateLimiter limiter({.capacity = 1, .refill_per_second = 1}, clock_);
  EXPECT_EQ(limiter.Take(), kTaken);
  clock_.SetNow(clock_.Now() + std::chrono::hours(1));
  EXPECT_EQ(limiter.Take(), seconds(1));
}

TEST_F(RateLimiterTest, GrantsAfterTheTimeThatItNamedAndNotBefore) {
  std::mt19937_64 generator(7);
  for (const double rate : {0.3, 1.0, 3.0, 7.7, 1000.0, 123'456.0}) {
    RateLimiter limiter({.capacity = 50, .refill_per_second = rate}, clock_);
    for (int i = 0; i < 1000; ++i) {
      const auto count = static_cast<int64_t>(generator() % 51);
      const Duration wait = limiter.Take(count);
      if (wait == kTaken) continue;
      clock_.Advance(wait - Duration(1));
      ASSERT_GT(limiter.Take(count), kTaken);
      clock_.Advance(Duration(1));
      ASSERT_EQ(limiter.Take(count), kTaken);
    }
  }
}

TEST_F(RateLimiterTest, RefusesNonsense) {
  EXPECT_DEATH(RateLimiter({.capacity = 0}, clock_), "a bucket of 0");
  EXPECT_DEATH(RateLimiter({.refill_per_second = 0}, clock_), "refilled by 0");
  EXPECT_DEATH(RateLimiter({.refill_per_second = 2e9}, clock_), "refilled by 2000000000");
  RateLimiter limiter({}, clock_);
  EXPECT_DEATH((void)limiter.Take(-1), "-1 tokens");
}

}  // namespace
}  // namespace wattmint::base
