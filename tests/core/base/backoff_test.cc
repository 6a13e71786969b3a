// SPDX-License-Identifier: Apache-2.0
#include "core/base/backoff.h"

#include "tests/support/seeded_random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>

namespace wattmint::base {
namespace {

using std::chrono::milliseconds;

constexpr BackoffOptions kOptions{
    .initial = milliseconds(100), .cap = milliseconds(1000), .multiplier = 2};

Duration LongestOf(const BackoffOptions& options, int attempt) {
  test::SeededRandom random(7);
  Duration longest(0);
  for (int i = 0; i < 2000; ++i)
    longest = std::max(longest, BackoffDelay(options, attempt, random));
  return longest;
}

TEST(BackoffTest, IsNeverZeroAndNeverOverItsLimit) {
  test::SeededRandom random(7);
  const BackoffOptions tiny{.initial = Duration(1), .cap = Duration(3), .multiplier = 2};
  std::array<int, 4> counts{};
  for (int i = 0; i < 3000; ++i)
    ++counts[static_cast<size_t>(BackoffDelay(tiny, 9, random).count())];
  EXPECT_EQ(counts[0], 0);
  EXPECT_GT(*std::min_element(counts.begin() + 1, counts.end()), 850);
  EXPECT_EQ(BackoffDelay(tiny, 1, random), Duration(1));
}

TEST(BackoffTest, DoublesItsLimitUpToTheCap) {
  const struct {
    int attempt;
    milliseconds limit;
  } cases[] = {{1, milliseconds(100)},   {2, milliseconds(200)},
               {3, milliseconds(400)},   {4, milliseconds(800)},
               {5, milliseconds(1000)},  {6, milliseconds(1000)},
               {99, milliseconds(1000)}, {std::numeric_limits<int>::max(), milliseconds(1000)}};
  for (const auto& [attempt, limit] : cases) {
    const Duration longest = LongestOf(kOptions, attempt);
    EXPECT_LE(longest, limit) << attempt;
    EXPECT_GT(longest, limit * 99 / 100) << attempt;
  }
}

TEST(BackoffTest, MayStandStill) {
  const BackoffOptions constant{
      .initial = milliseconds(100), .cap = milliseconds(1000), .multiplier = 1};
  EXPECT_LE(LongestOf(constant, std::numeric_limits<int>::max()), milliseconds(100));
}

TEST(BackoffTest, DoesNotOverflow) {
  const BackoffOptions huge{.initial = Duration(1), .cap = Duration::max(), .multiplier = 10};
  EXPECT_GT(LongestOf(huge, 1000), Duration::max() / 2);
}

TEST(BackoffDeathTest, RefusesNonsense) {
  test::SeededRandom random(7);
  EXPECT_DEATH((void)BackoffDelay(kOptions, 0, random), "attempt 0");
  EXPECT_DEATH((void)BackoffDelay({.initial = Duration(0)}, 1, random), "a back-off of 0");
}

}  // namespace
}  // namespace wattmint::base
