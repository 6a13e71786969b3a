// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/runner.h"

#include <gmock/gmock.h>

// The whole way of a reading, production code only, against everything that can go wrong.
namespace wattmint::simulation {
namespace {

constexpr std::uint64_t kFirstSeed = 1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSlow = true;
#else
constexpr bool kIsSlow = false;
#endif
constexpr std::int64_t kSeeds = kIsSlow ? 30 : 200;

TEST(SimulationTest, TheSameSeedIsTheSameStory) {
  for (const std::uint64_t seed : {3u, 17u, 42u, 77u, 90u}) {
    const Outcome first = Simulate(seed, {});
    const Outcome second = Simulate(seed, {});
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.violation, second.violation) << "seed " << seed;
    EXPECT_NE(first.trace, Simulate(seed + 1, {}).trace) << "seed " << seed;
  }
}

TEST(SimulationTest, WithoutFaultsEverythingIsMintedAndNothingRareHappens) {
  const Report report = RunSeeds(kFirstSeed, 10, {.allowed_faults = 0}, 1);
  EXPECT_THAT(report.violations, testing::IsEmpty());
  EXPECT_GT(report.mints, 0);
  EXPECT_EQ(report.coverage.Of(Rare::kRolledBack), 0);
  EXPECT_EQ(report.coverage.Of(Rare::kPowerCut), 0);
}

TEST(SimulationTest, NoSeedBreaksWhatMustHoldAndTheRareStatesAreReached) {
  const Report report = RunSeeds(kFirstSeed, kSeeds, {}, 5);
  EXPECT_THAT(report.violations, testing::IsEmpty());
  for (std::size_t i = 0; !kIsSlow && i < kRareStates; ++i) {
    const Rare rare = static_cast<Rare>(i);
    EXPECT_GT(report.coverage.Of(rare), 0) << Name(rare);
  }
}

}  // namespace
}  // namespace wattmint::simulation

int main(int argc, char** argv) { return wattmint::simulation::Main(argc, argv); }
