// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconciler.h"

#include "tests/support/engine.h"
#include "tests/support/spoiled_ledger.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::mint {
namespace {

using test::Engine;
using test::IsOk;
using test::Spoiler;
using test::StatusIs;
using test::WalletOf;

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    engine_.Register("M1", "alice");
    std::vector<domain::Reading> readings;
    for (int i = 0; i < 5; ++i) readings.push_back(engine_.Hour("M1", 5 - i, "1.5"));
    engine_.Submit(readings);
  }
  Reconciliation Reconcile(ledger::Ledger& ledger) {
    return Engine::Value(mint::Reconcile(engine_.queries(), ledger));
  }
  // A mint that no reading asked for.
  void MintPastTheCore(const std::string& key, const std::string& wallet, std::int64_t units) {
    const std::vector<ledger::MintOrder> orders = {
        {key, wallet, domain::TokenAmount::FromBaseUnits(units)}};
    ASSERT_THAT(engine_.ledger()
                    .Submit(std::vector{Engine::Value(engine_.ledger().Sign(orders).front())})
                    .front(),
                IsOk());
  }
  std::string KeyOf(std::int64_t task_id) {
    return domain::IdempotencyKey(Engine::Value(engine_.queries().FindTask(task_id))->reading_id);
  }

  Engine engine_;
};

TEST_F(ReconcilerTest, NothingMintedIsHealthy) {
  const auto found = Reconcile(engine_.ledger());
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.tasks_checked, 0);
}

TEST_F(ReconcilerTest, WhatWasMintedAgreesBothWays) {
  engine_.MintAll();
  const auto found = Reconcile(engine_.ledger());
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.tasks_checked, 5);
  EXPECT_EQ(found.mints_checked, 5);
  EXPECT_EQ(found.on_ledger.ToString(), "7.5");
  EXPECT_EQ(found.confirmed, found.on_ledger);
}

TEST_F(ReconcilerTest, WhatIsOnTheLedgerAndNotConfirmedYetIsInWork) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  spoiler.loses_answers = true;
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  const auto found = Reconcile(engine_.ledger());
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.in_work.ToString(), "7.5");
  EXPECT_EQ(found.confirmed.base_units(), 0);
}

// Field notes B20: a log that looks clean while the ledger has less.
TEST_F(ReconcilerTest, AMintThatTheLedgerDoesNotHaveIsFound) {
  Spoiler liar(engine_.ledger());
  engine_.UseLedger(liar);
  liar.swallows = true;
  engine_.MintAll();
  const auto found = Reconcile(engine_.ledger());
  EXPECT_FALSE(found.IsHealthy());
  EXPECT_EQ(found.discrepancies_count, 5);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kMissingOnLedger);
  EXPECT_EQ(found.discrepancies[0].task_id, 1);
  EXPECT_EQ(found.discrepancies[0].log_tokens.base_units(), 1'500'000'000);
}

TEST_F(ReconcilerTest, AMintThatTheLogDoesNotKnowIsFound) {
  engine_.MintAll();
  MintPastTheCore("whatever", WalletOf("thief"), 7);
  MintPastTheCore(domain::ReadingId(engine_.clock().Now(), 1, 99).ToString(), WalletOf("thief"), 8);
  const auto found = Reconcile(engine_.ledger());
  EXPECT_EQ(found.discrepancies_count, 2);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kUnknownToLog);
  EXPECT_EQ(found.discrepancies[1].ledger_tokens.base_units(), 8);
  EXPECT_FALSE(found.IsBalanced());
}

TEST_F(ReconcilerTest, AnotherWalletOrAmountIsFound) {
  MintPastTheCore(KeyOf(1), WalletOf("thief"), 1'500'000'000);
  MintPastTheCore(KeyOf(2), WalletOf("alice"), 1);
  engine_.MintAll();  // parks both as conflicts
  const auto found = Reconcile(engine_.ledger());
  EXPECT_EQ(found.discrepancies_count, 2);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kNotConfirmed);
  EXPECT_EQ(found.discrepancies[1].ledger_tokens.base_units(), 1);
  EXPECT_EQ(found.discrepancies[1].task_id, 2);
}

TEST_F(ReconcilerTest, EveryKindHasAName) {
  EXPECT_EQ(Name(DiscrepancyKind::kMissingOnLedger), "MISSING_ON_LEDGER");
  EXPECT_EQ(Name(DiscrepancyKind::kDifferent), "DIFFERENT");
  EXPECT_EQ(Name(DiscrepancyKind::kUnknownToLog), "UNKNOWN_TO_LOG");
  EXPECT_EQ(Name(DiscrepancyKind::kNotConfirmed), "NOT_CONFIRMED");
  EXPECT_EQ(Name(static_cast<DiscrepancyKind>(9)), "UNKNOWN");
}

}  // namespace
}  // namespace wattmint::mint
