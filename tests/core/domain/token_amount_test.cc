// SPDX-License-Identifier: Apache-2.0
#include "core/domain/token_amount.h"

#include "core/base/decimal.h"
#include "tests/support/status_matchers.h"

#include <limits>
#include <random>
#include <set>

namespace wattmint::domain {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::AllOf;
using testing::Eq;
using testing::Field;
using testing::HasSubstr;
using testing::Optional;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr Ratio kOneToOne;

auto Gives(int64_t base_units, int64_t remainder) {
  return IsOkAndHolds(AllOf(Field(&Conversion::tokens, TokenAmount::FromBaseUnits(base_units)),
                            Field(&Conversion::remainder, remainder)));
}

TEST(TokenAmountTest, WritesGrxExactly) {
  EXPECT_EQ(TokenAmount::FromBaseUnits(103'425'401'753'681).ToString(), "103425.401753681");
  EXPECT_EQ(TokenAmount().ToString(), "0");
}

TEST(TokenAmountTest, AddsUnlessTheSumDoesNotFit) {
  const TokenAmount one = TokenAmount::FromBaseUnits(1);
  EXPECT_THAT(one.CheckedAdd(one), Optional(TokenAmount::FromBaseUnits(2)));
  EXPECT_THAT(TokenAmount::FromBaseUnits(kMax).CheckedAdd(one), Eq(std::nullopt));
}

TEST(RatioTest, ReadsDecimalsAndFractionsInLowestTerms) {
  EXPECT_THAT(Ratio::Parse("1"), IsOkAndHolds(kOneToOne));
  EXPECT_THAT(Ratio::Parse("1.5"), IsOkAndHolds(Ratio{3, 2}));
  EXPECT_THAT(Ratio::Parse("0.25"), IsOkAndHolds(Ratio{1, 4}));
  EXPECT_THAT(Ratio::Parse("0.000000001"), IsOkAndHolds(Ratio{1, 1'000'000'000}));
  EXPECT_THAT(Ratio::Parse("6/4"), IsOkAndHolds(Ratio{3, 2}));
  EXPECT_THAT(Ratio::Parse("1/3"), IsOkAndHolds(Ratio{1, 3}));
  EXPECT_THAT(Ratio::Parse("9223372036854775807/1"), IsOkAndHolds(Ratio{kMax, 1}));
}

TEST(RatioTest, RefusesEverythingElse) {
  for (const char* text : {"", "0", "0.0", "-1", "1/0", "0/1", "/", "1/", "/2", "1/2/3", "-1/2",
                           "1/-2", "1.5/2", "1 / 2", "1e3", "NaN", "0.0000000001", "1:2"}) {
    EXPECT_THAT(Ratio::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(Ratio::Parse("9223372036854775808/1"), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST(RatioTest, WritesAFractionOrAWholeNumber) {
  EXPECT_EQ(kOneToOne.ToString(), "1");
  EXPECT_EQ((Ratio{3, 2}.ToString()), "3/2");
}

TEST(ConvertEnergyTest, GivesOneBaseUnitForEachNanoKwhByDefault) {
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(12'500'000'000), kOneToOne, 0),
              Gives(12'500'000'000, 0));
  EXPECT_THAT(ConvertEnergy(Energy(), kOneToOne, 0), Gives(0, 0));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(kMax), kOneToOne, 0), Gives(kMax, 0));
}

TEST(CarryToTest, IsExactAtTheSameRatioAndElseRoundedDownAndBelowOne) {
  EXPECT_EQ(CarryTo({1, 3}, {2, 3}), 2);
  EXPECT_EQ(CarryTo({1, 6}, {2, 3}), 4);
  EXPECT_EQ(CarryTo({1, 2}, {2, 3}), 1);
  EXPECT_EQ(CarryTo({1, 1}, {2, 3}), 0);
  EXPECT_EQ(CarryTo({7, kMax}, {kMax - 2, kMax - 1}), kMax - 2);
  EXPECT_EQ(CarryTo({1, 3}, {}), 0);
}

TEST(ConvertEnergyTest, RoundsDownAndHandsTheRemainderOn) {
  const Ratio two_thirds{2, 3};
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(1), two_thirds, 0), Gives(0, 2));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(1), two_thirds, 2), Gives(1, 1));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(1), two_thirds, 1), Gives(1, 0));
  EXPECT_THAT(ConvertEnergy(Energy(), two_thirds, 2), Gives(0, 2));
}

TEST(ConvertEnergyTest, GivesManyReadingsTheTokensOfTheirSum) {
  std::mt19937_64 generator(7);
  std::uniform_int_distribution<int64_t> energies(0, 100'000'000'000);
  const Ratio ratio{355, 113};
  int64_t nano_kwh = 0;
  int64_t base_units = 0;
  int64_t remainder = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Energy energy = Energy::FromNanoKwh(energies(generator));
    const Conversion step = ConvertEnergy(energy, ratio, remainder).value();
    nano_kwh += energy.nano_kwh();
    base_units += step.tokens.base_units();
    remainder = step.remainder;
  }
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(nano_kwh), ratio, 0), Gives(base_units, remainder));
}

TEST(ConvertEnergyTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(kMax), Ratio{2, 1}, 0),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("9223372036.854775807 kWh")));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(kMax), Ratio{kMax, 1}, 0),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(kMax), Ratio{kMax, kMax - 1}, kMax - 2),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(ConvertEnergy(Energy::FromNanoKwh(kMax), Ratio{1, kMax}, kMax - 1),
              Gives(1, kMax - 1));
}

TEST(ConvertEnergyDeathTest, RefusesWhatNoCallerMayAskFor) {
  EXPECT_DEATH((void)ConvertEnergy(Energy::FromNanoKwh(-1), kOneToOne, 0), "-0.000000001 kWh");
  EXPECT_DEATH((void)ConvertEnergy(Energy(), Ratio{1, 2}, 2), "a remainder of 2");
  EXPECT_DEATH((void)ConvertEnergy(Energy(), Ratio{1, 2}, -1), "a remainder of -1");
  EXPECT_DEATH((void)ConvertEnergy(Energy(), Ratio{0, 2}, 0), "a ratio of 0/2");
}

TEST(FollowsFromTest, HoldsForExactlyTheTokensThatSomeRemainderGives) {
  for (const Ratio ratio : {Ratio{1, 1}, Ratio{3, 2}, Ratio{2, 7}}) {
    for (int64_t nano_kwh = 0; nano_kwh < 20; ++nano_kwh) {
      const Energy energy = Energy::FromNanoKwh(nano_kwh);
      std::set<int64_t> possible;
      for (int64_t carried = 0; carried < ratio.denominator; ++carried) {
        possible.insert(ConvertEnergy(energy, ratio, carried)->tokens.base_units());
      }
      for (int64_t base_units = 0; base_units < 40; ++base_units) {
        EXPECT_EQ(FollowsFrom(TokenAmount::FromBaseUnits(base_units), energy, ratio),
                  possible.contains(base_units))
            << base_units << " of " << nano_kwh << " at " << ratio.ToString();
      }
    }
  }
}

TEST(FollowsFromTest, HoldsAtTheLimits) {
  EXPECT_TRUE(FollowsFrom(TokenAmount::FromBaseUnits(kMax), Energy::FromNanoKwh(kMax), kOneToOne));
  EXPECT_FALSE(
      FollowsFrom(TokenAmount::FromBaseUnits(kMax), Energy::FromNanoKwh(kMax), Ratio{1, kMax}));
}

struct Mismatches {
  int exact = 0;
  int floating = 0;
};

// Converts every energy from 0 to 100 kWh that has `scale` decimals, from its text, and also by the
// formula with which systems of this kind lose money: (uint64)(kwh * 1e9).
Mismatches ConvertAllUpTo100Kwh(int scale, int64_t values_per_kwh) {
  Mismatches mismatches;
  const int64_t nano_kwh_per_value = 1'000'000'000 / values_per_kwh;
  for (int64_t i = 0; i <= 100 * values_per_kwh; ++i) {
    const int64_t expected = i * nano_kwh_per_value;
    const Energy energy = Energy::Parse(base::FormatDecimal(i, scale)).value();
    const Conversion conversion = ConvertEnergy(energy, kOneToOne, 0).value();
    if (conversion.tokens.base_units() != expected || conversion.remainder != 0) ++mismatches.exact;
    const double kwh = static_cast<double>(i) / static_cast<double>(values_per_kwh);
    if (static_cast<int64_t>(kwh * 1e9) != expected) ++mismatches.floating;
  }
  return mismatches;
}

TEST(ConvertEnergyTest, IsExactForEveryTwoDecimalEnergyWhereDoublesAreNot) {
  const Mismatches mismatches = ConvertAllUpTo100Kwh(2, 100);
  EXPECT_EQ(mismatches.exact, 0);
  EXPECT_EQ(mismatches.floating, 224);
}

TEST(ConvertEnergyTest, IsExactForEveryFourDecimalEnergyWhereDoublesAreNot) {
  const Mismatches mismatches = ConvertAllUpTo100Kwh(4, 10'000);
  EXPECT_EQ(mismatches.exact, 0);
  EXPECT_EQ(mismatches.floating, 21'892);
}

}  // namespace
}  // namespace wattmint::domain
