// SPDX-License-Identifier: Apache-2.0
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

namespace wattmint::test {
namespace {

TEST(CoreSmokeTest, ReadingBecomesATokenAndEventsTellOfIt) {
  TestCore core;
  core.RegisterMeter("m-1", "ada", WalletAddress(1));
  const v1::SubmitResult result = core.Submit(QuarterHour("m-1", 0, "1.5"));
  EXPECT_EQ(result.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED) << result.ShortDebugString();
  core.WaitUntilMinted();
  const auto events = core.ReadEvents(core.admin());
  ASSERT_FALSE(events.empty());
  std::int64_t expected = 1;
  for (const v1::Event& event : events) EXPECT_EQ(event.sequence(), expected++);
  EXPECT_TRUE(events.back().has_tokens_minted() || events.back().has_batch_minting_completed());
}

}  // namespace
}  // namespace wattmint::test
