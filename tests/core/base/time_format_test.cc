// SPDX-License-Identifier: Apache-2.0
#include "core/base/time_format.h"

#include "tests/support/status_matchers.h"

#include <random>

namespace wattmint::base {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::HasSubstr;

Time At(int year, unsigned month, unsigned day, Duration time_of_day = Duration(0)) {
  return std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} /
                               std::chrono::day{day}} +
         time_of_day;
}

TEST(ParseRfc3339Test, ReadsZuluAndOffsets) {
  const Time noon = At(2026, 6, 1, std::chrono::hours(12));
  for (const char* text :
       {"2026-06-01T12:00:00Z", "2026-06-01t12:00:00z", "2026-06-01T14:00:00+02:00",
        "2026-06-01T02:30:00-09:30", "2026-06-01T12:00:00-00:00", "2026-06-02T11:59:00+23:59"}) {
    EXPECT_THAT(ParseRfc3339(text), IsOkAndHolds(Eq(noon))) << text;
  }
}

TEST(ParseRfc3339Test, KeepsOneToSixFractionDigits) {
  const Time second = At(2026, 1, 1);
  EXPECT_THAT(ParseRfc3339("2026-01-01T00:00:00.5Z"), IsOkAndHolds(second + Duration(500'000)));
  EXPECT_THAT(ParseRfc3339("2026-01-01T00:00:00.05Z"), IsOkAndHolds(second + Duration(50'000)));
  EXPECT_THAT(ParseRfc3339("2026-01-01T00:00:00.000001Z"), IsOkAndHolds(second + Duration(1)));
  EXPECT_THAT(ParseRfc3339("2026-01-01T00:00:00.999999Z"),
              IsOkAndHolds(second + Duration(999'999)));
}

TEST(ParseRfc3339Test, ReachesFrom1970To9999InUtc) {
  EXPECT_THAT(ParseRfc3339("1970-01-01T00:00:00Z"), IsOkAndHolds(Time{}));
  EXPECT_THAT(ParseRfc3339("1969-12-31T23:00:00-01:00"), IsOkAndHolds(Time{}));
  EXPECT_THAT(ParseRfc3339("9999-12-31T23:59:59.999999Z"),
              IsOkAndHolds(At(10000, 1, 1) - Duration(1)));
  for (const char* text :
       {"1969-12-31T23:59:59.999999Z", "1970-01-01T00:59:59+01:00", "9999-12-31T23:59:59-00:01"}) {
    EXPECT_THAT(ParseRfc3339(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1970 to 9999")))
        << text;
  }
}

TEST(ParseRfc3339Test, NamesWhatIsWrong) {
  const struct {
    const char* text;
    const char* reason;
  } cases[] = {
      {"", "YYYY-MM-DD"},
      {"yesterday", "YYYY-MM-DD"},
      {"26-06-01T12:00:00Z", "YYYY-MM-DD"},
      {"-2026-06-01T12:00:00Z", "YYYY-MM-DD"},
      {" 2026-06-01T12:00:00Z", "YYYY-MM-DD"},
      {"2026/06/01T12:00:00Z", "YYYY-MM-DD"},
      {"2026-13-01T12:00:00Z", "month"},
      {"2026-6-01T12:00:00Z", "month"},
      {"2026-00-01T12:00:00Z", "no such day"},
      {"2026-01-32T12:00:00Z", "the day"},
      {"2026-02-29T12:00:00Z", "no such day"},
      {"2026-06-00T12:00:00Z", "no such day"},
      {"2026-06-01", "no time of day"},
      {"2026-06-01 12:00:00Z", "no time of day"},
      {"2026-06-01T24:00:00Z", "hour"},
      {"2026-06-01T1:00:00Z", "hour"},
      {"2026-06-01T12", "hour"},
      {"2026-06-01T12:60:00Z", "minute"},
      {"2026-06-01T12:00Z", "no seconds"},
      {"2026-06-01T12:00:61Z", "second"},
      {"2026-06-30T23:59:60Z", "leap second"},
      {"2026-06-01T12:00:00.Z", "no digit"},
      {"2026-06-01T12:00:00.1234567Z", "finer"},
      {"2026-06-01T12:00:00,5Z", "neither Z"},
      {"2026-06-01T12:00:00", "neither Z"},
      {"2026-06-01T12:00:00 Z", "neither Z"},
      {"2026-06-01T12:00:00+0200", "offset"},
      {"2026-06-01T12:00:00+24:00", "offset"},
      {"2026-06-01T12:00:00+02:60", "offset"},
      {"2026-06-01T12:00:00+02", "offset"},
      {"2026-06-01T12:00:00ZZ", "follows its end"},
      {"2026-06-01T12:00:00Z ", "follows its end"},
      {"2026-06-01T12:00:00.123456+02:00 and more", "at most 32"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(ParseRfc3339(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)))
        << text;
  }
}

TEST(ParseRfc3339Test, KnowsLeapYears) {
  EXPECT_THAT(ParseRfc3339("2024-02-29T00:00:00Z"), IsOkAndHolds(At(2024, 2, 29)));
  EXPECT_THAT(ParseRfc3339("2000-02-29T00:00:00Z"), IsOkAndHolds(At(2000, 2, 29)));
  EXPECT_THAT(ParseRfc3339("2100-02-29T00:00:00Z"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(FormatRfc3339Test, WritesNoneThreeOrSixFractionDigits) {
  const Time second = At(2026, 6, 1, std::chrono::hours(7) + std::chrono::seconds(5));
  EXPECT_EQ(FormatRfc3339(second), "2026-06-01T07:00:05Z");
  EXPECT_EQ(FormatRfc3339(second + Duration(500'000)), "2026-06-01T07:00:05.500Z");
  EXPECT_EQ(FormatRfc3339(second + Duration(1'000)), "2026-06-01T07:00:05.001Z");
  EXPECT_EQ(FormatRfc3339(second + Duration(1)), "2026-06-01T07:00:05.000001Z");
  EXPECT_EQ(FormatRfc3339(Time{} - Duration(1)), "1969-12-31T23:59:59.999999Z");
}

TEST(FormatRfc3339Test, IsReadBackExactly) {
  std::mt19937_64 generator(7);
  const int64_t end = At(10000, 1, 1).time_since_epoch().count();
  std::uniform_int_distribution<int64_t> instants(0, end - 1);
  for (int i = 0; i < 20'000; ++i) {
    Time time{Duration(instants(generator))};
    if (i % 3 == 0) time = std::chrono::floor<std::chrono::seconds>(time);
    if (i % 3 == 1) time = std::chrono::floor<std::chrono::milliseconds>(time);
    ASSERT_THAT(ParseRfc3339(FormatRfc3339(time)), IsOkAndHolds(Eq(time)));
  }
}

class ParseLocalTimeTest : public testing::Test {
 protected:
  LocalTime Parse(std::string_view text) { return ParseLocalTime(text, zurich_).value(); }

  const absl::TimeZone zurich_ = FindTimeZone("Europe/Zurich").value();
};

TEST_F(ParseLocalTimeTest, KnowsSummerAndWinter) {
  const LocalTime summer = Parse("2026-07-01 14:00:00.25");
  EXPECT_EQ(summer.kind, LocalTime::Kind::kUnique);
  EXPECT_EQ(FormatRfc3339(summer.earlier), "2026-07-01T12:00:00.250Z");
  EXPECT_EQ(summer.later, summer.earlier);
  EXPECT_EQ(FormatRfc3339(Parse("2026-01-01T14:00").earlier), "2026-01-01T13:00:00Z");
}

TEST_F(ParseLocalTimeTest, GivesBothInstantsOfARepeatedTime) {
  const LocalTime repeated = Parse("2026-10-25 02:30:00");
  EXPECT_EQ(repeated.kind, LocalTime::Kind::kRepeated);
  EXPECT_EQ(FormatRfc3339(repeated.earlier), "2026-10-25T00:30:00Z");
  EXPECT_EQ(FormatRfc3339(repeated.later), "2026-10-25T01:30:00Z");
}

TEST_F(ParseLocalTimeTest, NamesASkippedTime) {
  EXPECT_EQ(Parse("2026-03-29 02:30:00").kind, LocalTime::Kind::kSkipped);
  EXPECT_EQ(Parse("2026-03-29 01:59:59.999999").kind, LocalTime::Kind::kUnique);
  EXPECT_EQ(Parse("2026-03-29 03:00:00").kind, LocalTime::Kind::kUnique);
}

TEST_F(ParseLocalTimeTest, RefusesOffsetsAndNonsense) {
  for (const char* text : {"2026-07-01 14:00:00Z", "2026-07-01 14:00:00+02:00", "2026-07-01",
                           "2026-07-01_14:00:00", "01.07.2026 14:00", "2026-07-01 14", ""}) {
    EXPECT_THAT(ParseLocalTime(text, zurich_), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
  EXPECT_THAT(ParseLocalTime("1970-01-01 00:30:00", zurich_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1970 to 9999")));
}

TEST(FindTimeZoneTest, RefusesUnknownNames) {
  EXPECT_THAT(FindTimeZone("UTC"), test::IsOk());
  for (const char* name : {"", "Europe/Atlantis", "CEST+2"}) {
    EXPECT_THAT(FindTimeZone(name),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Europe/Zurich")))
        << name;
  }
}

}  // namespace
}  // namespace wattmint::base
