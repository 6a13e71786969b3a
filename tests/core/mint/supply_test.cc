// SPDX-License-Identifier: Apache-2.0
#include "core/mint/supply.h"

#include "tests/support/engine.h"
#include "tests/support/spoiled_ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/support/watched_ledger.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace wattmint::mint {
namespace {

using domain::TokenAmount;
using test::Engine;
using test::IsOk;
using test::Spoiler;
using test::WalletOf;
using test::WatchedLedger;

class SupplyTest : public testing::Test {
 protected:
  SupplyTest() : engine_({.automatic = true, .batch_max = 10}) {
    engine_.Register("M1", "alice");
    Submit(5);
  }
  void Submit(int count) {
    std::vector<domain::Reading> readings;
    for (; count > 0; --count) readings.push_back(engine_.Hour("M1", ++hours_, "1.5"));
    Engine::Value(
        engine_.TrySubmit({.user_id = "importer", .any_meter = true, .any_age = true}, readings));
  }
  SupplyCheck Check(ledger::Ledger& ledger) {
    return Engine::Value(CheckSupply(engine_.queries(), ledger));
  }
  void MintPastTheCore(const std::string& key) {
    const std::vector<ledger::MintOrder> orders = {
        {key, WalletOf("thief"), TokenAmount::FromBaseUnits(7)}};
    const auto mint = engine_.ledger().Sign(orders).front();
    ASSERT_THAT(engine_.ledger().Submit(std::vector{Engine::Value(mint)}).front(), IsOk());
  }

  int hours_ = 0;
  Engine engine_;
};

TEST_F(SupplyTest, NothingIsBalanced) {
  const SupplyCheck check = Check(engine_.ledger());
  EXPECT_TRUE(check.IsBalanced());
  EXPECT_EQ(check.on_ledger.mints, 0);
  EXPECT_EQ(check.tasks.sums.open, 5);
}

TEST_F(SupplyTest, WhatWasConfirmedIsExplained) {
  engine_.MintAll();
  const SupplyCheck check = Check(engine_.ledger());
  EXPECT_TRUE(check.IsBalanced());
  EXPECT_EQ(check.on_ledger.tokens.ToString(), "7.5");
  EXPECT_EQ(check.in_work.base_units(), 0);
}

TEST_F(SupplyTest, WhatIsAboutToBeConfirmedIsInWork) {
  Spoiler spoiler(engine_.ledger());
  spoiler.loses_answers = true;
  engine_.UseLedger(spoiler);
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  const SupplyCheck check = Check(engine_.ledger());
  EXPECT_TRUE(check.IsBalanced());
  EXPECT_EQ(check.in_work.ToString(), "7.5");
  EXPECT_EQ(check.tasks.sums.confirmed, 0);
}

TEST_F(SupplyTest, WhatTheLogDoesNotExplainIsToldToTheUnit) {
  engine_.MintAll();
  MintPastTheCore("whatever");
  const SupplyCheck check = Check(engine_.ledger());
  EXPECT_FALSE(check.IsBalanced());
  EXPECT_EQ(check.unexplained_base_units, 7);
}

TEST_F(SupplyTest, WhatTheLedgerLacksIsBelowZero) {
  Spoiler liar(engine_.ledger());
  liar.swallows = true;
  engine_.UseLedger(liar);
  engine_.MintAll();
  EXPECT_EQ(Check(engine_.ledger()).unexplained_base_units, -7'500'000'000);
}

TEST_F(SupplyTest, AParkedTaskWhoseMintIsOnTheLedgerExplainsNothing) {
  Spoiler liar(engine_.ledger());
  liar.change = [](auto& receipt) { receipt = absl::InvalidArgumentError("no"); };
  engine_.UseLedger(liar);
  engine_.MintAll();
  EXPECT_EQ(Check(engine_.ledger()).unexplained_base_units, 7'500'000'000);
}

TEST_F(SupplyTest, IsAskedAgainWhenTheLedgerMovedMeanwhile) {
  engine_.MintAll();
  MintPastTheCore("whatever");
  WatchedLedger ledger(engine_.ledger());
  int asked = 0;
  ledger.before_supply = [&] {
    if (++asked != 2) return;
    Submit(1);
    engine_.MintAll();
  };
  const SupplyCheck check = Check(ledger);
  EXPECT_EQ(check.unexplained_base_units, 7);
  EXPECT_EQ(check.on_ledger.mints, 7);
  EXPECT_EQ(asked, 4);
}

TEST_F(SupplyTest, WhatMovesAtEveryTryCountsAsExplained) {
  WatchedLedger ledger(engine_.ledger());
  int asked = 0;
  ledger.before_supply = [&] {
    if (++asked % 2 == 0) MintPastTheCore(std::to_string(asked));
  };
  const SupplyCheck check = Check(ledger);
  EXPECT_EQ(asked, 16);
  // Seven of the eight were there before the last try.
  EXPECT_EQ(check.unexplained_base_units, 49);
}

TEST_F(SupplyTest, BesideARunningMinterNothingIsUnexplained) {
  Submit(300);
  std::thread minting([this] { engine_.MintAll(); });
  SupplyCheck check;
  do {
    check = Check(engine_.ledger());
    ASSERT_EQ(check.unexplained_base_units, 0);
  } while (check.tasks.sums.confirmed < 305);
  minting.join();
}

TEST(UnexplainedTest, IsTheNearestNumberThatFits) {
  const auto most = TokenAmount::FromBaseUnits(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Unexplained(most, {}, {}), most.base_units());
  EXPECT_EQ(Unexplained({}, most, most), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Unexplained(most, most, TokenAmount::FromBaseUnits(1)), -1);
}

}  // namespace
}  // namespace wattmint::mint
