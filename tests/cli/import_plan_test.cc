// SPDX-License-Identifier: Apache-2.0
#include "cli/import_plan.h"

#include "core/base/time_format.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

namespace wattmint::cli {
namespace {

using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRows =
    "meter,start,end,kwh\n"
    "a,2020-01-01T00:00:00Z,2020-01-01T01:00:00Z,1\n"
    "a,2020-01-01T01:00:00Z,2020-01-01T02:00:00Z,x\n"
    "a,2020-01-01T02:00:00Z,2020-01-01T03:00:00Z,3\n";

domain::Time At(std::string_view text) { return base::ParseRfc3339(text).value(); }

class ImportPlanTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = directory_ / name;
    std::ofstream(path) << text;
    return path;
  }
  ImportPlan Plan(ImportFlags flags) {
    auto plan = ImportPlan::Make(flags);
    EXPECT_THAT(plan, test::IsOk());
    EXPECT_THAT(plan->PlaceWindow(At("2026-06-01T12:20:00Z")), test::IsOk());
    return *std::move(plan);
  }
  // Starts of the rows that the plan takes.
  static std::vector<std::string> Starts(const ImportPlan& plan) {
    std::vector<std::string> starts;
    EXPECT_THAT(plan.ForEachRow([&](const ReadingFile&, FileRow& row) {
      if (row.problem.empty() && plan.window.Take(row.reading)) {
        starts.push_back(base::FormatRfc3339(row.reading.start));
      }
      return absl::OkStatus();
    }),
                test::IsOk());
    return starts;
  }
  ImportFlags ForFile(const std::string& text = kRows) {
    ImportFlags flags;
    flags.files = {Write("rows.csv", text)};
    return flags;
  }

  test::TempDir directory_;
};

TEST_F(ImportPlanTest, TakesEveryRowThatIsNotBroken) {
  EXPECT_THAT(Starts(Plan(ForFile())), ElementsAre("2020-01-01T00:00:00Z", "2020-01-01T02:00:00Z"));
}

TEST_F(ImportPlanTest, ShiftsSoThatTheNewestEndsAtTheLastFullHourOrLess) {
  ImportFlags flags = ForFile();
  flags.shift_to = "now";
  EXPECT_THAT(Starts(Plan(flags)), ElementsAre("2026-06-01T09:00:00Z", "2026-06-01T11:00:00Z"));
  flags.shift_to = "2021-01-01T00:59:59Z";
  EXPECT_THAT(Starts(Plan(flags)), ElementsAre("2020-12-31T21:00:00Z", "2020-12-31T23:00:00Z"));
}

TEST_F(ImportPlanTest, KeepsIntervalsThatEndOffTheHour) {
  EXPECT_EQ(ShiftTo(At("2026-06-01T12:20:00Z"), At("2020-01-01T03:15:00Z")),
            At("2026-06-01T12:15:00Z") - At("2020-01-01T03:15:00Z"));
  EXPECT_EQ(ShiftTo(At("2026-06-01T12:10:00Z"), At("2020-01-01T03:15:00Z")),
            At("2026-06-01T11:15:00Z") - At("2020-01-01T03:15:00Z"));
  EXPECT_EQ(ShiftTo(At("2026-06-01T12:00:00Z"), At("2026-06-01T14:30:00Z")),
            -std::chrono::hours(3));
}

TEST_F(ImportPlanTest, TakesAWindowOfTime) {
  ImportFlags flags = ForFile();
  flags.from = "2020-01-01T01:00:00Z";
  EXPECT_THAT(Starts(Plan(flags)), ElementsAre("2020-01-01T02:00:00Z"));
  flags = ForFile();
  flags.to = "2020-01-01T02:00:00Z";
  EXPECT_THAT(Starts(Plan(flags)), ElementsAre("2020-01-01T00:00:00Z"));
  flags = ForFile();
  flags.last = "1h";
  flags.shift_to = "now";
  EXPECT_THAT(Starts(Plan(flags)), ElementsAre("2026-06-01T11:00:00Z"));
}

TEST_F(ImportPlanTest, NamesTheFlagThatIsWrong) {
  struct Case {
    std::string ImportFlags::*flag;
    const char* value;
    const char* why;
  };
  const Case cases[] = {
      {&ImportFlags::timezone, "Europe/Nowhere", "--timezone"},
      {&ImportFlags::separator, "ab", "--separator"},
      {&ImportFlags::interval, "soon", "--interval"},
      {&ImportFlags::from, "yesterday", "--from"},
      {&ImportFlags::to, "2020", "--to"},
      {&ImportFlags::last, "30", "--last"},
  };
  for (const Case& c : cases) {
    ImportFlags flags = ForFile();
    flags.*c.flag = c.value;
    EXPECT_THAT(ImportPlan::Make(flags),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)));
  }
  ImportFlags flags = ForFile();
  flags.columns = {"power=kW"};
  EXPECT_THAT(ImportPlan::Make(flags),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--column power=kW")));
  flags = ForFile();
  flags.files = {"-"};
  flags.shift_to = "now";
  EXPECT_THAT(ImportPlan::Make(flags),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("standard input")));
  flags = ForFile();
  flags.shift_to = "noon";
  auto plan = ImportPlan::Make(flags);
  ASSERT_THAT(plan, test::IsOk());
  EXPECT_THAT(plan->PlaceWindow(At("2026-06-01T12:20:00Z")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--shift-to")));
}

TEST_F(ImportPlanTest, ReadsGzipAndSaysWhenItIsCutOff) {
  const std::string path = directory_ / "rows.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, kRows);
  gzclose(file);
  ImportFlags flags;
  flags.files = {path};
  EXPECT_EQ(Starts(Plan(flags)).size(), 2u);

  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 12);
  const ImportPlan plan = *ImportPlan::Make(flags);
  EXPECT_THAT(plan.ForEachRow([](const ReadingFile&, FileRow&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off")));
}

TEST_F(ImportPlanTest, SaysWhichFileIsNone) {
  const auto each = [](const ReadingFile&, FileRow&) { return absl::OkStatus(); };
  ImportFlags flags;
  flags.files = {directory_ / "nowhere.csv"};
  EXPECT_THAT(ImportPlan::Make(flags)->ForEachRow(each),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere.csv")));
  flags.files = {directory_.path()};
  EXPECT_THAT(ImportPlan::Make(flags)->ForEachRow(each),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("is a directory")));
  EXPECT_THAT(ImportPlan::Make(ForFile(""))->ForEachRow(each),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is empty")));
  EXPECT_THAT(ImportPlan::Make(ForFile("a,b\n"))->ForEachRow(each),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rows.csv, line 1")));
}

TEST_F(ImportPlanTest, SurveysExactly) {
  ImportSurvey survey;
  EXPECT_THAT(Plan(ForFile()).ForEachRow([&](const ReadingFile&, FileRow& row) {
    survey.Add(row);
    return absl::OkStatus();
  }),
              test::IsOk());
  EXPECT_EQ(survey.rows, 2);
  EXPECT_EQ(survey.broken, 1);
  EXPECT_EQ(survey.meters.size(), 1u);
  EXPECT_EQ(survey.energy->ToString(), "4");
  EXPECT_EQ(*survey.last_end, At("2020-01-01T03:00:00Z"));
}

}  // namespace
}  // namespace wattmint::cli
