// SPDX-License-Identifier: Apache-2.0
#include "cli/check/atomicity.h"

#include "tests/cli/check/violations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wattmint::check {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AtomicityTest : public testing::Test {
 protected:
  std::vector<std::string> Finish() {
    judge_.Finish();
    return violations_.Take();
  }

  Violations violations_;
  AtomicityJudge judge_{violations_};
};

TEST_F(AtomicityTest, WholeChangesAreRight) {
  judge_.OnHead(4);
  judge_.OnBegun(5, "a");
  judge_.OnBegun(6, "b");
  judge_.OnEnded(7, "b");
  judge_.OnEnded(8, "a");
  judge_.OnHead(8);
  judge_.OnHead(12);
  EXPECT_THAT(Finish(), IsEmpty());
}

TEST_F(AtomicityTest, AHeadWithinAChangeIsFoundWhicheverIsToldFirst) {
  judge_.OnHead(5);
  judge_.OnBegun(5, "a");
  judge_.OnEnded(6, "a");
  judge_.OnBegun(9, "b");
  judge_.OnEnded(11, "b");
  judge_.OnHead(10);
  EXPECT_THAT(Finish(), ElementsAre("atomic 5", "atomic 10"));
}

TEST_F(AtomicityTest, AChangeThatIsCutOffIsFound) {
  judge_.OnBegun(5, "a");
  judge_.OnBegun(6, "b");
  judge_.OnEnded(7, "b");
  EXPECT_THAT(Finish(), ElementsAre("atomic 5"));
}

TEST_F(AtomicityTest, AChangeWithoutABeginningIsFound) {
  judge_.OnEnded(7, "b");
  EXPECT_THAT(Finish(), ElementsAre("atomic 7"));
}

}  // namespace
}  // namespace wattmint::check
