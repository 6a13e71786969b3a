// SPDX-License-Identifier: Apache-2.0
#include "core/mint/ratio_history.h"

#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::mint {
namespace {

using domain::Ratio;
using test::Engine;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(RatioHistoryTest, EveryRatioIsRememberedOnceInTheOrderOfItsFirstUse) {
  Engine engine;
  EXPECT_THAT(LoadRatios(engine.queries()), IsOkAndHolds(IsEmpty()));
  for (const Ratio ratio : {Ratio{3, 2}, Ratio{1, 1}, Ratio{3, 2}, Ratio{1, 7}}) {
    ASSERT_THAT(RecordRatio(engine.queue(), engine.queries(), ratio), IsOk());
  }
  engine.Close();
  engine.Open();
  EXPECT_THAT(LoadRatios(engine.queries()),
              IsOkAndHolds(ElementsAre(Ratio{3, 2}, Ratio{1, 1}, Ratio{1, 7})));
}

TEST(RatioHistoryTest, ASpoiledHistoryIsSaid) {
  Engine engine;
  ASSERT_THAT(store::RunOp(engine.queue(),
                           [](store::WriteContext& context) {
                             return context.transaction().SetSwitch("token_ratios", "1 x");
                           }),
              IsOk());
  EXPECT_THAT(LoadRatios(engine.queries()), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(RecordRatio(engine.queue(), engine.queries(), Ratio()),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace wattmint::mint
