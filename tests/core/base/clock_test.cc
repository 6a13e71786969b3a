// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"

#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

namespace wattmint::base {
namespace {

TEST(SystemClockTest, TellsTheTimeOfTheMachine) {
  SystemClock clock;
  const auto before = std::chrono::system_clock::now();
  const Time now = clock.Now();
  EXPECT_GE(now, std::chrono::floor<Duration>(before));
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(SystemClockTest, HasASteadyClockThatNeverGoesBack) {
  SystemClock clock;
  const auto first = clock.Steady();
  EXPECT_LE(first, clock.Steady());
}

TEST(FakeClockTest, StandsStillUntilAdvanced) {
  test::FakeClock clock;
  const Time now = clock.Now();
  const auto steady = clock.Steady();
  EXPECT_EQ(clock.Now(), now);
  clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(clock.Now(), now + std::chrono::seconds(5));
  EXPECT_EQ(clock.Steady(), steady + std::chrono::seconds(5));
}

TEST(FakeClockTest, SetsTheWallClockAlone) {
  test::FakeClock clock;
  const auto steady = clock.Steady();
  clock.SetNow(Time{});
  EXPECT_EQ(clock.Now(), Time{});
  EXPECT_EQ(clock.Steady(), steady);
}

}  // namespace
}  // namespace wattmint::base
