// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"

#include <gtest/gtest.h>

namespace wattmint::base {
namespace {

TEST(AssertTest, LetsTrueConditionsPassWithoutFormatting) {
  int formatted = 0;
  const auto count = [&formatted] { return ++formatted; };
  WATTMINT_ASSERT(1 + 1 == 2, "never said {}", count());
  EXPECT_EQ(formatted, 0);
}

TEST(AssertDeathTest, StopsWithPlaceConditionAndMessage) {
  EXPECT_DEATH(WATTMINT_ASSERT(1 + 1 == 3, "the sum is {}", 2),
               "assert_test.cc:[0-9]+: assertion `1 \\+ 1 == 3` failed: the sum is 2");
}

}  // namespace
}  // namespace wattmint::base
