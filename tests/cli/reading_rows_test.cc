// SPDX-License-Identifier: Apache-2.0
#include "cli/reading_rows.h"

#include "core/base/time_format.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace wattmint::cli {
namespace {

using domain::Quality;
using ::testing::HasSubstr;
using Fields = std::vector<std::string_view>;

RowParser MakeParser(const Fields& header, const RowOptions& options = {}) {
  auto parser = RowParser::Create(header, options);
  EXPECT_THAT(parser.status(), test::IsOk());
  return *std::move(parser);
}

std::string CreateError(const Fields& header, const RowOptions& options = {}) {
  return RowParser::Create(header, options).status().ToString();
}

domain::Time At(std::string_view text) { return base::ParseRfc3339(text).value(); }

TEST(RowParserTest, ReadsAnInterval) {
  auto parser = MakeParser({"meter_id", "interval_start", "interval_end", "energy_kwh", "quality"});
  const auto row = parser.Parse(
      Fields{"M-1", "2016-07-31T23:00:00-08:00", "2016-08-01T00:00:00-08:00", " 1.25 ", "E"});
  ASSERT_THAT(row.status(), test::IsOk());
  EXPECT_EQ(row->meter_id, "M-1");
  EXPECT_EQ(row->energy_kwh, "1.25");
  EXPECT_EQ(row->start, At("2016-08-01T07:00:00Z"));
  EXPECT_EQ(row->length, std::chrono::hours(1));
  EXPECT_EQ(row->quality, Quality::kEstimated);
}

TEST(RowParserTest, ReadsAPointAndAnIntervalByItsLength) {
  auto point = MakeParser({"Time", "KWH", "Meter"});
  EXPECT_EQ(point.Parse(Fields{"2026-01-01T00:00:00Z", "1", "m"})->length, domain::Duration());

  auto by_column = MakeParser({"meter", "start", "interval", "kwh"});
  EXPECT_EQ(by_column.Parse(Fields{"m", "2026-01-01T00:00:00Z", "PT15M", "1"})->length,
            std::chrono::minutes(15));

  RowOptions options;
  options.interval = std::chrono::minutes(30);
  auto by_option = MakeParser({"meter", "start", "kwh"}, options);
  EXPECT_EQ(by_option.Parse(Fields{"m", "2026-01-01T00:00:00Z", "1"})->length,
            std::chrono::minutes(30));
}

TEST(RowParserTest, TakesColumnsByTheNamesThatItIsGiven) {
  RowOptions options;
  options.names = {{ReadingColumn::kMeter, "NMI no"}, {ReadingColumn::kTime, "when"}};
  auto parser = MakeParser({"meter", "when", "nmi no", "energy"}, options);
  EXPECT_EQ(parser.Parse(Fields{"x", "2026-01-01T00:00:00Z", "61", "1"})->meter_id, "61");
}

TEST(RowParserTest, SaysWhatTheHeaderLacks) {
  EXPECT_THAT(CreateError({"start", "end", "kwh"}), HasSubstr("no column for the meter"));
  EXPECT_THAT(CreateError({"meter", "start", "end"}), HasSubstr("no column for the energy"));
  EXPECT_THAT(CreateError({"meter", "kwh"}), HasSubstr("neither a start nor a time"));
  EXPECT_THAT(CreateError({"meter", "kwh", "start"}), HasSubstr("--interval 15m"));
  EXPECT_THAT(CreateError({"meter", "kwh", "time", "Meter"}), HasSubstr("meter twice"));
  RowOptions options;
  options.names = {{ReadingColumn::kMeter, "nmi"}};
  EXPECT_THAT(CreateError({"meter", "kwh", "time"}, options), HasSubstr("no column nmi"));
}

TEST(RowParserTest, SaysWhyARowIsBroken) {
  struct Case {
    Fields fields;
    const char* why;
  };
  const std::string_view start = "2026-01-01T00:00:00Z";
  const std::string_view end = "2026-01-01T01:00:00Z";
  const Case cases[] = {
      {{"", start, end, "1", "A"}, "no meter"},
      {{"m", start, end, "NaN", "A"}, "NaN"},
      {{"m", start, end, "", "A"}, ""},
      {{"m", start, end, "1.0123456789", "A"}, "1.0123456789"},
      {{"m", start, end, "1", "X"}, "quality \"X\" is none of A, E, S and F"},
      {{"m", "2026-01-01 00:00", end, "1", "A"}, "--timezone"},
      {{"m", start, "soon", "1", "A"}, "\"soon\" is not a time"},
      {{"m", end, start, "1", "A"}, "does not end after its start"},
      {{"m", start, start, "1", "A"}, "does not end after its start"},
  };
  auto parser = MakeParser({"meter", "start", "end", "kwh", "quality"});
  for (const Case& c : cases) {
    const auto row = parser.Parse(c.fields);
    EXPECT_EQ(row.status().code(), absl::StatusCode::kInvalidArgument) << c.why;
    EXPECT_THAT(std::string(row.status().message()), HasSubstr(c.why));
  }
  EXPECT_THAT(parser.Parse(Fields{"m", start, end, "-1", ""}).status(), test::IsOk());
}

RowOptions InZone(std::string_view zone) {
  RowOptions options;
  options.zone = base::FindTimeZone(zone).value();
  return options;
}

TEST(RowParserTest, ReadsTheRepeatedHourInTheOrderOfEachMeter) {
  // Europe/Zurich: at 03:00 of 2025-10-26 clocks went back to 02:00.
  auto parser = MakeParser({"meter", "start", "end", "kwh"}, InZone("Europe/Zurich"));
  struct Case {
    const char* meter;
    const char* start;
    const char* end;
    const char* start_utc;
    int minutes;
  };
  const Case cases[] = {
      {"a", "2025-10-26 01:30", "2025-10-26 02:00", "2025-10-25T23:30:00Z", 30},
      {"a", "2025-10-26 02:00", "2025-10-26 02:30", "2025-10-26T00:00:00Z", 30},
      {"b", "2025-10-26 02:00", "2025-10-26 02:30", "2025-10-26T00:00:00Z", 30},
      {"a", "2025-10-26 02:30", "2025-10-26 02:00", "2025-10-26T00:30:00Z", 30},
      {"a", "2025-10-26 02:00", "2025-10-26 02:30", "2025-10-26T01:00:00Z", 30},
      {"a", "2025-10-26 02:30", "2025-10-26 03:00", "2025-10-26T01:30:00Z", 30},
      {"b", "2025-10-26 02:30", "2025-10-26 02:00", "2025-10-26T00:30:00Z", 30},
      {"a", "2025-10-26 03:00", "2025-10-26 03:30", "2025-10-26T02:00:00Z", 30},
  };
  for (const Case& c : cases) {
    const auto row = parser.Parse(Fields{c.meter, c.start, c.end, "1"});
    ASSERT_THAT(row.status(), test::IsOk());
    EXPECT_EQ(row->start, At(c.start_utc)) << c.meter << " " << c.start;
    EXPECT_EQ(row->length, std::chrono::minutes(c.minutes)) << c.meter << " " << c.start;
  }
}

TEST(RowParserTest, RefusesTheSkippedHourAndTakesOffsetsAsTheyAre) {
  auto parser = MakeParser({"meter", "time", "kwh"}, InZone("America/New_York"));
  EXPECT_THAT(parser.Parse(Fields{"m", "2026-03-08 02:30", "1"}).status().ToString(),
              HasSubstr("clocks were set forward"));
  EXPECT_EQ(parser.Parse(Fields{"m", "2026-03-08 03:30", "1"})->start, At("2026-03-08T07:30:00Z"));
  EXPECT_EQ(parser.Parse(Fields{"m", "2026-03-08T12:00:00+09:00", "1"})->start,
            At("2026-03-08T03:00:00Z"));
}

TEST(RowParserTest, ReadsLengths) {
  EXPECT_THAT(ParseInterval("15m"), test::IsOkAndHolds(domain::Duration(std::chrono::minutes(15))));
  EXPECT_THAT(ParseInterval("PT15M"),
              test::IsOkAndHolds(domain::Duration(std::chrono::minutes(15))));
  EXPECT_THAT(ParseInterval("900s"),
              test::IsOkAndHolds(domain::Duration(std::chrono::seconds(900))));
  EXPECT_THAT(ParseInterval("30d"), test::IsOkAndHolds(domain::Duration(std::chrono::days(30))));
  for (const char* wrong : {"", "15", "m", "0m", "-1h", "1.5h", "15 m", "9999999h", "1w"}) {
    EXPECT_FALSE(ParseInterval(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace wattmint::cli
