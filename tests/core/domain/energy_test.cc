// SPDX-License-Identifier: Apache-2.0
#include "core/domain/energy.h"

#include "tests/support/status_matchers.h"

#include <limits>

namespace wattmint::domain {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(EnergyTest, ReadsExactDecimalsOfEitherSign) {
  EXPECT_THAT(Energy::Parse("12.5"), IsOkAndHolds(Energy::FromNanoKwh(12'500'000'000)));
  EXPECT_THAT(Energy::Parse("2.01"), IsOkAndHolds(Energy::FromNanoKwh(2'010'000'000)));
  EXPECT_THAT(Energy::Parse("-0.000000001"), IsOkAndHolds(Energy::FromNanoKwh(-1)));
  EXPECT_THAT(Energy::Parse("0"), IsOkAndHolds(Energy()));
  EXPECT_THAT(Energy::Parse("9223372036.854775807"), IsOkAndHolds(Energy::FromNanoKwh(kMax)));
}

TEST(EnergyTest, RefusesWhatIsNotExact) {
  for (const char* text : {"", "NaN", "1e3", "+1", "1.0000000001", "12,5", " 1"}) {
    EXPECT_THAT(Energy::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(Energy::Parse("9223372036.854775808"),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("too large")));
}

TEST(EnergyTest, WritesAsFewDigitsAsAreExact) {
  EXPECT_EQ(Energy::FromNanoKwh(12'500'000'000).ToString(), "12.5");
  EXPECT_EQ(Energy::FromNanoKwh(-1).ToString(), "-0.000000001");
  EXPECT_EQ(Energy().ToString(), "0");
}

TEST(EnergyTest, Compares) {
  EXPECT_LT(Energy::FromNanoKwh(-1), Energy());
  EXPECT_GT(Energy::FromNanoKwh(2), Energy::FromNanoKwh(1));
  EXPECT_EQ(Energy::FromNanoKwh(1), Energy::FromNanoKwh(1));
}

TEST(EnergyTest, AddsUnlessTheSumDoesNotFit) {
  const Energy most = Energy::FromNanoKwh(kMax);
  EXPECT_THAT(Energy::FromNanoKwh(1).CheckedAdd(Energy::FromNanoKwh(2)),
              Optional(Energy::FromNanoKwh(3)));
  EXPECT_THAT(most.CheckedAdd(Energy()), Optional(most));
  EXPECT_THAT(most.CheckedAdd(Energy::FromNanoKwh(1)), Eq(std::nullopt));
  EXPECT_THAT(Energy::FromNanoKwh(-2).CheckedAdd(Energy::FromNanoKwh(-kMax)), Eq(std::nullopt));
}

}  // namespace
}  // namespace wattmint::domain
