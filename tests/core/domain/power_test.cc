// SPDX-License-Identifier: Apache-2.0
#include "core/domain/power.h"

#include <gtest/gtest.h>

#include <limits>

namespace wattmint::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Energy NanoKwh(std::int64_t count) { return Energy::FromNanoKwh(count); }

TEST(PowerTest, OneKwhInAnHourIsOneKilowatt) {
  EXPECT_EQ(MeanMilliwatts(NanoKwh(1'000'000'000), hours(1)), 1'000'000);
  EXPECT_EQ(MeanMilliwatts(NanoKwh(1'000'000'000), minutes(15)), 4'000'000);
  EXPECT_EQ(MeanMilliwatts(Energy(), hours(1)), 0);
}

TEST(PowerTest, IsRoundedUp) {
  EXPECT_EQ(MeanMilliwatts(NanoKwh(1), hours(1)), 1);
  EXPECT_EQ(MeanMilliwatts(NanoKwh(1'000), hours(1)), 1);
  EXPECT_EQ(MeanMilliwatts(NanoKwh(1'001), hours(1)), 2);
}

TEST(PowerTest, DoesNotOverflow) {
  const Energy most = NanoKwh(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(MeanMilliwatts(most, Duration(1)), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(MeanMilliwatts(most, hours(1)), 9'223'372'036'854'776);
}

TEST(PowerTest, TenTimesTheEnergyIsAtMostTenTimesTheRoundedPower) {
  for (std::int64_t energy = 1; energy < 5'000; energy += 7) {
    EXPECT_LE(MeanMilliwatts(NanoKwh(10 * energy), minutes(7)),
              10 * MeanMilliwatts(NanoKwh(energy), minutes(7)))
        << energy;
  }
}

}  // namespace
}  // namespace wattmint::domain
