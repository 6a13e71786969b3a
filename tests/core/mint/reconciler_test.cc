// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconciler.h"

#include "tests/support/engine.h"
#include "tests/support/spoiled_ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/support/watched_ledger.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace wattmint::mint {
namespace {

using domain::MintState;
using test::Engine;
using test::IsOk;
using test::Spoiler;
using test::StatusIs;
using test::WalletOf;
using test::WatchedLedger;

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() {
    engine_.Register("M1", "alice");
    std::vector<domain::Reading> readings;
    for (int i = 0; i < 5; ++i) readings.push_back(engine_.Hour("M1", 5 - i, "1.5"));
    engine_.Submit(readings);
  }
  Reconciliation Reconcile(ledger::Ledger& ledger, const ReconcileOptions& options = {}) {
    return Engine::Value(mint::Reconcile(engine_.queries(), ledger, options));
  }
  // Everything is minted, and every task is parked: the ledger said that it refused.
  void MintAndPark() {
    Spoiler liar(engine_.ledger());
    liar.change = [](auto& receipt) { receipt = absl::InvalidArgumentError("no"); };
    engine_.UseLedger(liar);
    engine_.MintAll();
    engine_.UseLedger(engine_.ledger());
  }
  void RetryAll() {
    for (std::int64_t task_id = 1; task_id <= 5; ++task_id) {
      std::promise<void> done;
      engine_.minter().Retry(task_id, [&done](const auto&) { done.set_value(); });
      done.get_future().wait();
    }
    engine_.MintAll();
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

TEST_F(ReconcilerTest, AParkedTaskWhoseMintIsOnTheLedgerIsFound) {
  MintAndPark();
  auto found = Reconcile(engine_.ledger());
  EXPECT_EQ(found.discrepancies_count, 5);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kNotConfirmed);
  EXPECT_EQ(found.discrepancies[0].task_state, MintState::kParked);
  EXPECT_EQ(found.discrepancies[0].ledger_height, 1);
  EXPECT_EQ(found.UnexplainedBaseUnits(), 7'500'000'000);
  RetryAll();
  EXPECT_TRUE(Reconcile(engine_.ledger()).IsHealthy());
}

TEST_F(ReconcilerTest, ATaskThatIsRetriedMeanwhileIsNoDiscrepancy) {
  MintAndPark();
  WatchedLedger ledger(engine_.ledger());
  bool is_listed = false;
  ledger.change_list = [&](auto&) { is_listed = true; };
  // Each was seen parked when it is looked up again.
  ledger.before_look_up = [&] {
    if (std::exchange(is_listed, false)) RetryAll();
  };
  const auto found = Reconcile(ledger);
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.mints_checked, 5);
  EXPECT_EQ(found.confirmed.ToString(), "7.5");
}

TEST_F(ReconcilerTest, WhatIsMintedBetweenTheTwoWalksIsNoDiscrepancy) {
  WatchedLedger ledger(engine_.ledger());
  ledger.before_list = [&] { engine_.MintAll(); };
  const auto found = Reconcile(ledger);
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.tasks_checked, 0);
  EXPECT_EQ(found.mints_checked, 5);
}

TEST_F(ReconcilerTest, WhatIsConfirmedAfterItWasListedIsNoDiscrepancy) {
  Spoiler spoiler(engine_.ledger());
  spoiler.loses_answers = true;
  engine_.UseLedger(spoiler);
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  engine_.UseLedger(engine_.ledger());
  WatchedLedger ledger(engine_.ledger());
  ledger.change_list = [&](auto&) {
    engine_.clock().Advance(std::chrono::minutes(10));  // it is time to look at them again
    engine_.MintAll();
  };
  const auto found = Reconcile(ledger);
  EXPECT_TRUE(found.IsHealthy());
  EXPECT_EQ(found.confirmed.ToString(), "7.5");
  EXPECT_EQ(found.in_work.base_units(), 0);
}

TEST_F(ReconcilerTest, BesideARunningMinterNothingIsReported) {
  std::vector<domain::Reading> readings;
  for (int i = 0; i < 300; ++i) readings.push_back(engine_.Hour("M1", 400 - i, "0.1"));
  const auto answers = Engine::Value(
      engine_.TrySubmit({.user_id = "importer", .any_meter = true, .any_age = true}, readings));
  std::thread minting([this] { engine_.MintAll(); });
  Reconciliation found;
  do {
    found = Reconcile(engine_.ledger());
    ASSERT_TRUE(found.IsHealthy()) << found.discrepancies_count << " discrepancies, "
                                   << found.UnexplainedBaseUnits() << " unexplained";
  } while (found.tasks_checked < 305);
  minting.join();
}

TEST_F(ReconcilerTest, AFurtherMintOfTheSameKeyIsFound) {
  engine_.MintAll();
  WatchedLedger ledger(engine_.ledger());
  ledger.change_list = [](std::vector<ledger::LedgerMint>& mints) {
    if (mints.empty()) return;
    mints.push_back(mints.front());
    mints.back().height = std::ssize(mints);
  };
  const auto found = Reconcile(ledger);
  ASSERT_EQ(found.discrepancies_count, 1);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kMintedAgain);
  EXPECT_EQ(found.discrepancies[0].task_id, 1);
  EXPECT_EQ(found.discrepancies[0].ledger_height, 6);
  EXPECT_EQ(found.UnexplainedBaseUnits(), 1'500'000'000);
}

TEST_F(ReconcilerTest, AnotherAmountWalletOrSignatureOfAConfirmedTaskIsFound) {
  engine_.MintAll();
  WatchedLedger ledger(engine_.ledger());
  ledger.change_list = [](std::vector<ledger::LedgerMint>& mints) {
    if (mints.empty()) return;
    mints[0].tokens = domain::TokenAmount::FromBaseUnits(1);
    mints[1].wallet_address = WalletOf("thief");
    mints[2].signature = mints[3].signature;
  };
  const auto found = Reconcile(ledger);
  ASSERT_EQ(found.discrepancies_count, 3);
  for (const Discrepancy& discrepancy : found.discrepancies) {
    EXPECT_EQ(discrepancy.kind, DiscrepancyKind::kDifferent);
  }
  EXPECT_EQ(found.UnexplainedBaseUnits(), 1 - 1'500'000'000);
  EXPECT_EQ(found.confirmed.ToString(), "7.5");
}

TEST_F(ReconcilerTest, TokensThatNoRatioExplainsAreFound) {
  engine_.MintAll();
  const domain::Ratio one;
  EXPECT_TRUE(Reconcile(engine_.ledger(), {.ratios = {{3, 2}, one}}).IsHealthy());
  const auto found = Reconcile(engine_.ledger(), {.ratios = {{3, 2}}});
  EXPECT_EQ(found.discrepancies_count, 5);
  EXPECT_EQ(found.discrepancies[0].kind, DiscrepancyKind::kNotByEnergy);
  EXPECT_TRUE(found.IsBalanced());
  EXPECT_FALSE(found.IsHealthy());
}

TEST_F(ReconcilerTest, AllAreCountedAndTheFirstHundredKept) {
  for (int i = 0; i < 120; ++i) MintPastTheCore("key " + std::to_string(i), WalletOf("thief"), 2);
  const auto found = Reconcile(engine_.ledger());
  EXPECT_EQ(found.discrepancies_count, 120);
  ASSERT_EQ(found.discrepancies.size(), kDiscrepanciesKept);
  EXPECT_EQ(found.discrepancies.back().idempotency_key, "key 99");
  EXPECT_EQ(found.UnexplainedBaseUnits(), 240);
}

TEST_F(ReconcilerTest, EndsWhenItIsCancelled) {
  engine_.MintAll();
  EXPECT_THAT(mint::Reconcile(engine_.queries(), engine_.ledger(),
                              {.ratios = {}, .is_cancelled = [] { return true; }}),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ReconcilerTest, ALedgerThatIsAwayIsNoDiscrepancy) {
  engine_.MintAll();
  WatchedLedger ledger(engine_.ledger());
  ledger.trouble = absl::UnavailableError("the line is cut");
  EXPECT_THAT(mint::Reconcile(engine_.queries(), ledger), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ReconcilerTest, ADiscrepancyIsASentence) {
  const Discrepancy missing{DiscrepancyKind::kMissingOnLedger,
                            "k",
                            7,
                            MintState::kConfirmed,
                            0,
                            domain::TokenAmount::FromBaseUnits(1'500'000'000),
                            {}};
  EXPECT_EQ(missing.ToString(),
            "MISSING_ON_LEDGER of k: task 7 is CONFIRMED with 1.5 GRX, the ledger has no such "
            "mint");
  const Discrepancy unknown{DiscrepancyKind::kUnknownToLog,       "k", 0, {}, 9, {},
                            domain::TokenAmount::FromBaseUnits(2)};
  EXPECT_EQ(unknown.ToString(),
            "UNKNOWN_TO_LOG of k: the log has no such reading, the ledger has 0.000000002 GRX at "
            "height 9");
}

TEST_F(ReconcilerTest, EveryKindHasAName) {
  EXPECT_EQ(Name(DiscrepancyKind::kMissingOnLedger), "MISSING_ON_LEDGER");
  EXPECT_EQ(Name(DiscrepancyKind::kDifferent), "DIFFERENT");
  EXPECT_EQ(Name(DiscrepancyKind::kUnknownToLog), "UNKNOWN_TO_LOG");
  EXPECT_EQ(Name(DiscrepancyKind::kNotConfirmed), "NOT_CONFIRMED");
  EXPECT_EQ(Name(DiscrepancyKind::kMintedAgain), "MINTED_AGAIN");
  EXPECT_EQ(Name(DiscrepancyKind::kNotByEnergy), "NOT_BY_ENERGY");
  EXPECT_EQ(Name(static_cast<DiscrepancyKind>(9)), "UNKNOWN");
}

}  // namespace
}  // namespace wattmint::mint
