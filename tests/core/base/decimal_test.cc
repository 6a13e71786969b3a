// SPDX-License-Identifier: Apache-2.0
#include "core/base/decimal.h"

#include "tests/support/status_matchers.h"

#include <limits>
#include <random>

namespace wattmint::base {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(ParseDecimalTest, ReadsExactly) {
  const struct {
    const char* text;
    int scale;
    int64_t value;
  } cases[] = {
      {"0", 9, 0},
      {"12.5", 9, 12'500'000'000},
      {"12.500000000", 9, 12'500'000'000},
      {"0.000000001", 9, 1},
      {"0012.5", 1, 125},
      {"7", 0, 7},
      {"-0.1", 1, -1},
      {"-0", 3, 0},
      {"9223372036.854775807", 9, kMax},
      {"-9223372036.854775808", 9, kMin},
      {"-9223372036854775808", 0, kMin},
      {"9.223372036854775807", 18, kMax},
      {"0000000000000000000000000000000000000001", 0, 1},
  };
  for (const auto& [text, scale, value] : cases) {
    EXPECT_THAT(ParseDecimal(text, scale, DecimalSign::kAny), IsOkAndHolds(value)) << text;
  }
}

TEST(ParseDecimalTest, RefusesEverythingElse) {
  for (const char* text :
       {"",     " ",     "-",     ".",     "-.",   "+1",   "--1", "1.",  ".5",        "-.5",
        "1..2", "1.2.3", "1e3",   "1E3",   "0x10", "NaN",  "nan", "Inf", "-Infinity", " 1",
        "1 ",   "1,5",   "1'000", "1_000", "1.-5", "1.+5", "١",   "½",   "1.5kWh"}) {
    EXPECT_THAT(ParseDecimal(text, 9, DecimalSign::kAny),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a decimal")))
        << text;
  }
  EXPECT_THAT(ParseDecimal(std::string_view("1\0", 2), 9),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseDecimalTest, RefusesMoreDigitsThanTheScaleEvenZeros) {
  EXPECT_THAT(ParseDecimal("1.0000000000", 9),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 9 digits")));
  EXPECT_THAT(ParseDecimal("1.0", 0), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseDecimalTest, RefusesASignUnlessAllowed) {
  EXPECT_THAT(ParseDecimal("-1", 9),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("negative")));
  EXPECT_THAT(ParseDecimal("-0", 9), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseDecimalTest, RefusesWhatDoesNotFit) {
  for (const char* text : {"9223372036.854775808", "-9223372036.854775809", "9223372037",
                           "99999999999999999999999999999999999999", "-10000000000"}) {
    EXPECT_THAT(ParseDecimal(text, 9, DecimalSign::kAny),
                StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("too large")))
        << text;
  }
}

TEST(ParseDecimalTest, BoundsTheLengthWithoutRepeatingTheText) {
  EXPECT_THAT(
      ParseDecimal(std::string(41, '0'), 9),
      StatusIs(absl::StatusCode::kInvalidArgument, "a decimal has at most 40 characters, not 41"));
}

TEST(FormatDecimalTest, WritesAsFewDigitsAsAreExact) {
  EXPECT_EQ(FormatDecimal(0, 9), "0");
  EXPECT_EQ(FormatDecimal(12'500'000'000, 9), "12.5");
  EXPECT_EQ(FormatDecimal(10'000'000'000, 9), "10");
  EXPECT_EQ(FormatDecimal(1, 9), "0.000000001");
  EXPECT_EQ(FormatDecimal(-1, 9), "-0.000000001");
  EXPECT_EQ(FormatDecimal(100, 0), "100");
  EXPECT_EQ(FormatDecimal(kMax, 9), "9223372036.854775807");
  EXPECT_EQ(FormatDecimal(kMin, 9), "-9223372036.854775808");
  EXPECT_EQ(FormatDecimal(kMin, 0), "-9223372036854775808");
  EXPECT_EQ(FormatDecimal(kMin, 18), "-9.223372036854775808");
}

TEST(FormatDecimalTest, IsReadBackExactly) {
  std::mt19937_64 generator(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<int64_t>(generator()) >> (i % 64);
    const int scale = i % 19;
    ASSERT_THAT(ParseDecimal(FormatDecimal(value, scale), scale, DecimalSign::kAny),
                IsOkAndHolds(value));
  }
}

TEST(DecimalDeathTest, RefusesAScaleOutsideZeroToEighteen) {
  EXPECT_DEATH(FormatDecimal(1, 19), "scale 19");
  EXPECT_DEATH((void)ParseDecimal("1", -1), "scale -1");
}

}  // namespace
}  // namespace wattmint::base
