// SPDX-License-Identifier: Apache-2.0
#include "bridge/inbound_limiter.h"

#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

namespace wattmint::bridge {
namespace {

using Verdict = InboundLimiter::Verdict;

TEST(InboundLimiterTest, TakesABurstAndThenSixtyAMinute) {
  test::FakeClock clock;
  InboundLimiter limiter({}, clock);
  int taken = 0;
  for (int i = 0; i < 30; ++i) {
    const Verdict verdict = limiter.Frame();
    taken += verdict == Verdict::kTake || verdict == Verdict::kTakeAndWarn ? 1 : 0;
  }
  EXPECT_EQ(taken, 20);
  for (int second = 0; second < 60; ++second) {
    clock.Advance(std::chrono::seconds(1));
    EXPECT_NE(limiter.Frame(), Verdict::kRefuse);
  }
  EXPECT_EQ(limiter.Frame(), Verdict::kRefuse);
  EXPECT_LE(limiter.retry_after(), std::chrono::seconds(1));
}

TEST(InboundLimiterTest, WarnsOnceUntilItHasCalmedDown) {
  test::FakeClock clock;
  InboundLimiter limiter({}, clock);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(limiter.Frame(), Verdict::kTake);
  EXPECT_EQ(limiter.Frame(), Verdict::kTakeAndWarn);
  EXPECT_EQ(limiter.used(), 16);
  EXPECT_EQ(limiter.Frame(), Verdict::kTake);
  clock.Advance(std::chrono::seconds(10));
  EXPECT_EQ(limiter.Frame(), Verdict::kTake);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(limiter.Frame(), Verdict::kTake);
  EXPECT_EQ(limiter.Frame(), Verdict::kTakeAndWarn);
}

TEST(InboundLimiterTest, ClosesAfterTooManyRefusalsInARow) {
  test::FakeClock clock;
  InboundLimiter limiter({.frames_per_minute = 60, .burst_frames = 1, .refusals_in_row_max = 3},
                         clock);
  limiter.Frame();
  EXPECT_EQ(limiter.Frame(), Verdict::kRefuse);
  EXPECT_EQ(limiter.Frame(), Verdict::kRefuse);
  clock.Advance(std::chrono::seconds(1));
  limiter.Frame();
  EXPECT_EQ(limiter.Frame(), Verdict::kRefuse);
  EXPECT_EQ(limiter.Frame(), Verdict::kRefuse);
  EXPECT_EQ(limiter.Frame(), Verdict::kClose);
}

}  // namespace
}  // namespace wattmint::bridge
