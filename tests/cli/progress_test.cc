// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "tests/support/captured_file.h"
#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

namespace wattmint::cli {
namespace {

using std::chrono::seconds;

TEST(ProgressTest, ShowsRowsRateAndWhatRemains) {
  EXPECT_EQ(ProgressText({1'000, std::nullopt, seconds(2)}), "1,000 rows, 500 rows/s");
  EXPECT_EQ(ProgressText({1'000, 0.5, seconds(10)}),
            "[###############...............]  50 %  1,000 rows, 100 rows/s, 10 s left");
  EXPECT_EQ(ProgressText({90, 0.1, seconds(30)}),
            "[###...........................]  10 %  90 rows, 3 rows/s, 4:30 min left");
  EXPECT_EQ(ProgressText({5, 1.0, seconds(0)}),
            "[##############################] 100 %  5 rows, 0 rows/s");
}

TEST(ProgressTest, WritesALineNowAndThenWhereThereIsNoTerminal) {
  test::CapturedFile file;
  test::FakeClock clock;
  Progress progress(file.get(), clock);
  progress.Update(1, std::nullopt);
  clock.Advance(seconds(6));
  progress.Update(12, std::nullopt);
  progress.Update(13, std::nullopt);
  progress.Say("note");
  EXPECT_EQ(file.Text(), "12 rows, 2 rows/s\nnote\n");
}

}  // namespace
}  // namespace wattmint::cli
