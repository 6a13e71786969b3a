// SPDX-License-Identifier: Apache-2.0
#include "core/mint/minter.h"

#include "core/mint/transitions.h"
#include "core/store/run_op.h"
#include "tests/support/engine.h"
#include "tests/support/spoiled_ledger.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;
using ledger::Receipt;
using ledger::Verdict;
using test::Engine;
using test::IsOk;
using test::Spoiler;
using test::StatusIs;
using test::WalletOf;
using testing::HasSubstr;

class MinterTest : public testing::Test {
 protected:
  explicit MinterTest(domain::MintLimits limits = {.automatic = true, .batch_max = 10})
      : limits_(limits), engine_(limits) {
    engine_.Register("M1", "alice");
    engine_.Register("M2", "bob");
  }

  std::vector<std::int64_t> SubmitHours(const std::string& meter, int count, std::string_view kwh) {
    std::vector<domain::Reading> readings;
    for (int i = 0; i < count; ++i) readings.push_back(engine_.Hour(meter, count - i, kwh));
    std::vector<std::int64_t> tasks;
    for (const auto& answer : engine_.Submit(readings)) tasks.push_back(answer.reading_id->row());
    return tasks;
  }
  MintTask Task(std::int64_t task_id) {
    return *Engine::Value(engine_.queries().FindTask(task_id));
  }
  std::int64_t Supply() { return engine_.ledger().GetSupply()->tokens.base_units(); }
  absl::StatusOr<MintTask> Await(void (Minter::*call)(std::int64_t, Minter::TaskCallback),
                                 std::int64_t task_id) {
    std::promise<absl::StatusOr<MintTask>> promise;
    (engine_.minter().*call)(task_id, [&](auto task) { promise.set_value(std::move(task)); });
    return promise.get_future().get();
  }
  absl::StatusOr<MintTask> Discard(std::int64_t task_id, const std::string& reason) {
    std::promise<absl::StatusOr<MintTask>> promise;
    engine_.minter().Discard(task_id, reason,
                             [&](auto task) { promise.set_value(std::move(task)); });
    return promise.get_future().get();
  }
  void Transfer(const std::string& meter_id, const std::string& user_id) {
    std::promise<void> transferred;
    engine_.registrar().Transfer(meter_id, user_id, WalletOf(user_id),
                                 [&](auto) { transferred.set_value(); });
    transferred.get_future().wait();
  }
  absl::Status Pause(const std::string& reason) {
    std::promise<absl::Status> promise;
    engine_.minter().Pause(reason, [&](absl::Status status) { promise.set_value(status); });
    return promise.get_future().get();
  }
  absl::Status Resume() {
    std::promise<absl::Status> promise;
    engine_.minter().Resume([&](absl::Status status) { promise.set_value(status); });
    return promise.get_future().get();
  }
  // Every reading was minted exactly once, and told exactly once.
  void ExpectMintedOnce(const std::vector<std::int64_t>& tasks, std::int64_t base_units_each) {
    std::map<std::int64_t, int> told;
    for (const auto& minted : engine_.Facts<domain::TokensMinted>()) ++told[minted.task_id];
    for (const std::int64_t task : tasks) {
      EXPECT_EQ(Task(task).state, MintState::kConfirmed) << task;
      EXPECT_EQ(told[task], 1) << task;
    }
    EXPECT_EQ(told.size(), tasks.size());
    EXPECT_EQ(Supply(), base_units_each * std::ssize(tasks));
  }

  // Lets whatever waits become due.
  void LetTimePass() { engine_.clock().Advance(limits_.backoff_max); }
  // A ledger on which nothing is to be found up to this final height.
  static auto NothingUpTo(std::int64_t final_height) {
    return [final_height](std::span<const std::string> keys) {
      return ledger::Findings{
          final_height, std::vector<std::optional<ledger::LedgerMint>>(keys.size(), std::nullopt)};
    };
  }
  // Signed bytes that are void above this height.
  static auto ExpiringAt(std::int64_t height) {
    return [height](const auto&, auto& mint) { mint->expiry_height = height; };
  }

  const domain::MintLimits limits_;
  Engine engine_;
};

TEST_F(MinterTest, MintsEveryReadingOnceToTheWalletOfItsMeter) {
  const auto tasks = SubmitHours("M1", 25, "2.01");
  engine_.MintAll();
  ExpectMintedOnce(tasks, 2'010'000'000);
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("alice"))->base_units(), 25 * 2'010'000'000LL);
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("bob"))->base_units(), 0);
}

TEST_F(MinterTest, ATaskTellsItsWholeStoryInOrder) {
  const auto tasks = SubmitHours("M1", 1, "1");
  engine_.MintAll();
  std::vector<std::string> story;
  for (const auto& event : engine_.Events()) {
    const auto attributes = domain::AttributesOf(event.fact);
    if (attributes.task_id == tasks[0]) story.emplace_back(Name(attributes.type));
  }
  EXPECT_THAT(story, testing::ElementsAre("TaskCreated", "TaskUpdated", "TaskStatusChanged",
                                          "TaskUpdated", "TaskStatusChanged", "TokensMinted"));
  const auto changes = engine_.Facts<domain::TaskStatusChanged>();
  EXPECT_EQ(changes[0].old_state, MintState::kPending);
  EXPECT_EQ(changes[0].new_state, MintState::kSigned);
  EXPECT_EQ(changes[1].new_state, MintState::kConfirmed);
  const auto minted = engine_.Facts<domain::TokensMinted>()[0];
  EXPECT_EQ(minted.transaction_signature, Task(tasks[0]).transaction_signature);
  EXPECT_EQ(minted.batch_id, changes[1].batch_id);
}

TEST_F(MinterTest, WhatIsInQuarantineIsMintedOnceAndOnlyWhenItIsReleased) {
  const auto tasks = SubmitHours("M1", 1, "65.535");
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_EQ(Supply(), 0);
  ASSERT_THAT(Await(&Minter::Retry, tasks[0]), IsOk());
  EXPECT_THAT(Await(&Minter::Retry, tasks[0]), StatusIs(absl::StatusCode::kFailedPrecondition));
  engine_.MintAll();
  ExpectMintedOnce(tasks, 65'535'000'000);
}

TEST_F(MinterTest, WhatIsDiscardedIsNeverMinted) {
  const auto tasks = SubmitHours("M1", 1, "65.535");
  const auto discarded = Discard(tasks[0], "the meter was unplugged");
  ASSERT_THAT(discarded, IsOk());
  EXPECT_EQ(discarded->state, MintState::kRejected);
  EXPECT_EQ(discarded->reason, "DISCARDED: the meter was unplugged");
  const auto failed = engine_.Facts<domain::MeterReadingValidationFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].user_id, "alice");
  EXPECT_EQ(failed[0].wallet_address, WalletOf("alice"));
  EXPECT_EQ(failed[0].refusal.message, discarded->reason);
  EXPECT_EQ(engine_.Facts<domain::TaskStatusChanged>().back().new_state, MintState::kRejected);
  const std::size_t events = engine_.Events().size();
  EXPECT_THAT(Discard(tasks[0], "again"), IsOk());
  EXPECT_EQ(engine_.Events().size(), events) << "a repetition is no event";
  EXPECT_EQ(Task(tasks[0]).reason, discarded->reason);
  EXPECT_THAT(Await(&Minter::Retry, tasks[0]), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(Await(&Minter::MintByHand, tasks[0]), IsOk());
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kRejected);
  EXPECT_EQ(Supply(), 0);
}

TEST_F(MinterTest, OnlyWhatIsParkedAndCannotHaveBeenSentIsDiscarded) {
  const auto tasks = SubmitHours("M1", 1, "1");
  EXPECT_THAT(Discard(99, "x"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Discard(tasks[0], "x"), StatusIs(absl::StatusCode::kFailedPrecondition));
  engine_.MintAll();
  EXPECT_THAT(Discard(tasks[0], "x"), StatusIs(absl::StatusCode::kFailedPrecondition));
  engine_.Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) -> absl::Status {
    MintTask task = *Engine::Value(context.transaction().FindTask(tasks[0]));
    task.state = MintState::kParked;
    return context.transaction().UpdateTask(task, MintState::kConfirmed).status();
  }));
  EXPECT_THAT(Discard(tasks[0], "x"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("signed bytes")));
}

TEST_F(MinterTest, ABatchIsBoundedAndItsCountsAddUp) {
  SubmitHours("M1", 25, "1");
  engine_.MintAll();
  const auto batches = engine_.Facts<domain::BatchMintingCompleted>();
  ASSERT_EQ(batches.size(), 3U);
  int total = 0;
  for (const auto& batch : batches) {
    EXPECT_LE(batch.total_readings, 10);
    EXPECT_EQ(batch.total_readings, batch.successful_mints);
    total += batch.total_readings;
  }
  EXPECT_EQ(total, 25);
}

TEST_F(MinterTest, ALostRequestIsSentAgainByteForByte) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 3, "1");
  spoiler.loses_requests = true;
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(Task(tasks[0]).state, MintState::kSubmitted);
    EXPECT_EQ(Task(tasks[0]).sends, i + 1);
    EXPECT_EQ(Task(tasks[0]).attempts, 1) << "an unknown outcome uses no attempt up";
    EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("the line is cut"));
    EXPECT_EQ(*engine_.minter().WorkOnce(), false) << "not before its time";
    LetTimePass();
  }
  spoiler.loses_requests = false;
  engine_.MintAll();
  EXPECT_EQ(spoiler.signs, 1) << "an unknown outcome is never signed anew";
  for (std::size_t i = 3; i < spoiler.sent.size(); ++i) {
    EXPECT_EQ(spoiler.sent[i], spoiler.sent[i - 3]);
  }
  ExpectMintedOnce(tasks, 1'000'000'000);
}

// Field notes B1, B2: a ledger that does it and does not answer.
TEST_F(MinterTest, ALostAnswerMintsOnce) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 3, "1");
  spoiler.loses_answers = true;
  EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(engine_.Facts<domain::TokensMinted>().size(), 0U);
  spoiler.loses_answers = false;
  LetTimePass();
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
  EXPECT_EQ(spoiler.sent.size(), 3U) << "what is found is not sent again";
  const auto batches = engine_.Facts<domain::BatchMintingCompleted>();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].deferred_mints, 3);
  EXPECT_EQ(batches[1].successful_mints, 3);
}

TEST_F(MinterTest, AReplayIsNeverToldAsAFreshMint) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 3, "1");
  spoiler.loses_answers = true;
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  spoiler.loses_answers = false;
  spoiler.look_up = NothingUpTo(1);  // a node that lags
  LetTimePass();
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
  const auto batch = engine_.Facts<domain::BatchMintingCompleted>().back();
  EXPECT_EQ(batch.duplicate_mints, 3);
  EXPECT_EQ(batch.successful_mints, 0);
}

TEST_F(MinterTest, ARestartFinishesWhatWasSigned) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 3, "1");
  spoiler.loses_answers = true;
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  engine_.Close();
  engine_.Open();
  LetTimePass();
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, ARefusalForGoodParksTheTaskAlone) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1");
  spoiler.change = [](auto& receipt) { receipt = absl::InvalidArgumentError("bad wallet"); };
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("bad wallet"));
  spoiler.change = nullptr;
  const auto others = SubmitHours("M2", 2, "1");
  engine_.MintAll();
  EXPECT_EQ(Task(others[1]).state, MintState::kConfirmed);
  EXPECT_EQ(engine_.Facts<domain::BatchMintingCompleted>()[0].failed_mints, 1);
}

TEST_F(MinterTest, AParkedTaskIsRetriedAndMintsTheSameAmountOnce) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1.5");
  // The ledger has minted, and says that it refused: the worst that can be told.
  spoiler.change = [](auto& receipt) { receipt = absl::InvalidArgumentError("confused"); };
  engine_.MintAll();
  ASSERT_EQ(Task(tasks[0]).state, MintState::kParked);
  spoiler.change = nullptr;
  const auto retried = Await(&Minter::Retry, tasks[0]);
  ASSERT_THAT(retried, IsOk());
  EXPECT_EQ(retried->state, MintState::kSubmitted) << "what became of the bytes comes first";
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'500'000'000);
}

TEST_F(MinterTest, AnotherAmountOnTheLedgerIsAConflictForAPerson) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1.5");
  spoiler.change = [](absl::StatusOr<Receipt>& receipt) {
    receipt->verdict = Verdict::kAlreadyMinted;
    receipt->tokens = domain::TokenAmount::FromBaseUnits(7);
  };
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("CONFLICT"));
  EXPECT_TRUE(engine_.Facts<domain::TokensMinted>().empty());
}

TEST_F(MinterTest, WhatIsTakenButNotFinalIsNotMintedYet) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 2, "1");
  spoiler.change = [](auto& receipt) { receipt->verdict = Verdict::kAccepted; };
  spoiler.look_up = NothingUpTo(1);
  EXPECT_TRUE(*engine_.minter().WorkOnce());
  EXPECT_EQ(Task(tasks[0]).state, MintState::kSubmitted);
  EXPECT_TRUE(engine_.Facts<domain::TokensMinted>().empty());
  spoiler.look_up = nullptr;
  LetTimePass();
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

// W3: signed anew only when the bytes are void, and finally absent.
TEST_F(MinterTest, BytesThatExpiredAreSignedAnewForTheSameAmount) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1.5");
  spoiler.change_signed = ExpiringAt(100);
  spoiler.loses_requests = true;
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  for (const std::int64_t final_height : {99, 100}) {
    spoiler.look_up = NothingUpTo(final_height);
    LetTimePass();
    EXPECT_FALSE(engine_.minter().WorkOnce().ok());
    EXPECT_EQ(spoiler.signs, 1) << "they may still be minted at " << final_height;
  }
  spoiler.look_up = NothingUpTo(101);
  LetTimePass();
  EXPECT_TRUE(*engine_.minter().WorkOnce());
  EXPECT_EQ(Task(tasks[0]).state, MintState::kPending);
  EXPECT_TRUE(Task(tasks[0]).signed_bytes.empty());
  EXPECT_EQ(Task(tasks[0]).tokens.base_units(), 1'500'000'000);
  spoiler.look_up = nullptr;
  spoiler.loses_requests = false;
  LetTimePass();
  engine_.MintAll();
  EXPECT_EQ(spoiler.signs, 2);
  ExpectMintedOnce(tasks, 1'500'000'000);
  EXPECT_EQ(engine_.queries().GetSignedEnergy(domain::DayOf(engine_.clock().Now()))->nano_kwh(),
            1'500'000'000)
      << "signed twice, counted once";
}

TEST_F(MinterTest, AfterAllAttemptsATaskIsParkedAndCanBeRetried) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1");
  spoiler.change_signed = ExpiringAt(100);
  spoiler.look_up = NothingUpTo(101);
  spoiler.loses_requests = true;
  for (int i = 0; i < 2 * limits_.attempts_max; ++i) {
    static_cast<void>(engine_.minter().WorkOnce());
    LetTimePass();
  }
  EXPECT_EQ(spoiler.signs, limits_.attempts_max);
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("EXPIRED"));
  spoiler.loses_requests = false;
  spoiler.look_up = nullptr;
  EXPECT_EQ(Await(&Minter::Retry, tasks[0])->state, MintState::kPending);
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, WhatIsCertainlyNotTakenIsSentAgainAndParkedAtLast) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1");
  spoiler.loses_requests = true;
  spoiler.look_up = NothingUpTo(1);
  int answers = 0;
  spoiler.change_receipt_when_lost = [&](auto& receipt) {
    ++answers;
    receipt = absl::AbortedError("the queue is full");
  };
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(engine_.minter().WorkOnce());
    LetTimePass();
  }
  EXPECT_EQ(answers, limits_.attempts_max - 1) << "signing was the first attempt";
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("the queue is full"));
  EXPECT_EQ(spoiler.signs, 1);
  spoiler.loses_requests = false;
  spoiler.look_up = nullptr;
  ASSERT_THAT(Await(&Minter::Retry, tasks[0]), IsOk());
  engine_.MintAll();
  EXPECT_EQ(spoiler.signs, 1);
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, WithoutFundsEverythingPausesUntilAPersonResumes) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 15, "1");
  spoiler.loses_requests = true;
  spoiler.change_receipt_when_lost = [](auto& receipt) {
    receipt = absl::ResourceExhaustedError("0 lamports");
  };
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  EXPECT_EQ(*engine_.minter().WorkOnce(), false);
  EXPECT_TRUE(engine_.minter().state().paused);
  EXPECT_THAT(engine_.minter().state().reason, HasSubstr("NO_FUNDS"));
  EXPECT_TRUE(engine_.Facts<domain::MintingSwitched>().back().paused);
  EXPECT_EQ(spoiler.sent.size(), 10U) << "one batch, and no more";
  spoiler.loses_requests = false;
  ASSERT_THAT(Resume(), IsOk());
  LetTimePass();
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, ALedgerThatCannotBeAskedHoldsEverythingWhereItIs) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 1, "1");
  spoiler.loses_answers = true;
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  spoiler.look_up = [](auto) { return absl::UnavailableError("away"); };
  LetTimePass();
  const MintTask before = Task(tasks[0]);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kUnavailable));
  }
  EXPECT_EQ(Task(tasks[0]).update_time, before.update_time);
  EXPECT_EQ(spoiler.sent.size(), 1U);
}

TEST_F(MinterTest, ASignerThatIsAwayUsesNoAttemptUp) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 2, "1");
  spoiler.change_signed = [](auto&, auto& mint) { mint = absl::UnavailableError("no signer"); };
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(Task(tasks[0]).state, MintState::kPending);
    EXPECT_EQ(Task(tasks[0]).attempts, 0);
    EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("no signer"));
    LetTimePass();
  }
  spoiler.change_signed = nullptr;
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, AnOrderThatTheSignerRefusesStopsNoOther) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 5, "1");
  const std::string refused = domain::IdempotencyKey(Task(tasks[2]).reading_id);
  spoiler.change_signed = [&](const ledger::MintOrder& order, auto& mint) {
    if (order.idempotency_key == refused) mint = absl::InvalidArgumentError("I do not like it");
  };
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[2]).state, MintState::kParked);
  EXPECT_EQ(Task(tasks[2]).tokens.base_units(), 0);
  EXPECT_EQ(Supply(), 4'000'000'000);
}

// A minter that died with a claim in its hand.
TEST_F(MinterTest, AClaimThatIsOverGoesBackAndAtLastToAPerson) {
  const auto tasks = SubmitHours("M1", 1, "1");
  for (int i = 1; i <= limits_.attempts_max; ++i) {
    engine_.Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) {
      return WriteClaims(context, {Task(tasks[0])}, "another's batch",
                         engine_.clock().Now() + limits_.claim_lease)
          .status();
    }));
    EXPECT_EQ(*engine_.minter().WorkOnce(), false) << "a lease holds";
    engine_.clock().Advance(limits_.claim_lease);
    EXPECT_EQ(*engine_.minter().WorkOnce(), true);
    EXPECT_EQ(Task(tasks[0]).attempts, i);
  }
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("LEASE_EXPIRED"));
  ASSERT_THAT(Await(&Minter::Retry, tasks[0]), IsOk());
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, WhoLostItsLeaseSignsNothing) {
  const auto tasks = SubmitHours("M1", 2, "1");
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  spoiler.change_signed = [&](auto&, auto&) {  // it takes so long that another one takes over
    engine_.Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) {
      return WriteReleases(context, {Task(tasks[0])}, limits_.attempts_max);
    }));
  };
  EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(spoiler.sent.empty());
  for (const std::int64_t task : tasks) {
    EXPECT_EQ(Task(task).state, MintState::kPending) << "nobody waits for the end of a lease";
  }
  EXPECT_EQ(Task(tasks[1]).attempts, 0);
  spoiler.change_signed = nullptr;
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

TEST_F(MinterTest, AReadingAboveTheCapIsParkedAndHoldsUpNobody) {
  engine_.Submit({engine_.Hour("M1", 3, "99")});
  engine_.mint_limits().energy_max = Engine::Value(domain::Energy::Parse("50"));
  engine_.UseLedger(engine_.ledger());
  const auto tasks = SubmitHours("M2", 1, "50");
  engine_.MintAll();
  EXPECT_EQ(Task(1).state, MintState::kParked);
  EXPECT_THAT(Task(1).reason, HasSubstr("CAP_PER_READING"));
  ASSERT_THAT(Await(&Minter::Retry, 1), IsOk());
  engine_.MintAll();
  EXPECT_EQ(Task(1).state, MintState::kParked) << "nobody gets around a cap";
  ExpectMintedOnce(tasks, 50'000'000'000);
}

TEST_F(MinterTest, AReadingAboveTheCapOfAWholeDayIsForAPerson) {
  engine_.mint_limits().day_energy_max = Engine::Value(domain::Energy::Parse("25"));
  engine_.UseLedger(engine_.ledger());
  const auto tasks = SubmitHours("M1", 1, "25.000000001");
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked) << "no day would be long enough";
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("CAP_PER_DAY"));
}

TEST_F(MinterTest, WhatIsAboveTheCapOfADayWaitsForTheNext) {
  engine_.mint_limits().day_energy_max = Engine::Value(domain::Energy::Parse("25"));
  engine_.UseLedger(engine_.ledger());
  SubmitHours("M1", 30, "1");
  engine_.MintAll();
  EXPECT_EQ(Supply(), 25'000'000'000);
  engine_.clock().Advance(std::chrono::days(1));
  engine_.MintAll();
  EXPECT_EQ(Supply(), 30'000'000'000);
}

TEST_F(MinterTest, TwoMintersTogetherKeepTheCapOfADay) {
  engine_.mint_limits().day_energy_max = Engine::Value(domain::Energy::Parse("5"));
  engine_.mint_limits().batch_max = 3;
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  test::SeededRandom random(5);
  Minter other(engine_.queue(), engine_.queries(), engine_.registry(), engine_.ledger(),
               engine_.clock(), random, engine_.mint_limits());
  SubmitHours("M1", 8, "1");
  bool is_first = true;
  spoiler.change_signed = [&](auto&, auto&) {
    if (std::exchange(is_first, false)) {
      EXPECT_THAT(other.WorkOnce(), IsOk());
    }
  };
  EXPECT_THAT(engine_.minter().WorkOnce(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Supply(), 3'000'000'000);
  engine_.MintAll();
  EXPECT_EQ(Supply(), 5'000'000'000);
  engine_.clock().Advance(std::chrono::days(1));
  engine_.MintAll();
  EXPECT_EQ(Supply(), 8'000'000'000);
}

// B22, S2-55.
TEST_F(MinterTest, AWalletThatIsNoneIsForAPerson) {
  domain::Meter meter = engine_.Register("M3", "carol");
  const auto tasks = SubmitHours("M3", 1, "1");
  meter.wallet_address = "no wallet at all";
  engine_.registry().Put(meter);
  engine_.MintAll();
  EXPECT_EQ(Task(tasks[0]).state, MintState::kParked);
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("WALLET_INVALID"));
}

// B8: 60 poison rows at the head of the queue.
TEST_F(MinterTest, PoisonAtTheHeadDelaysNobody) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  SubmitHours("M1", 60, "1");
  spoiler.change_signed = [](const ledger::MintOrder& order, auto& mint) {
    if (order.wallet_address == WalletOf("alice")) mint = absl::AbortedError("poison");
  };
  const auto tasks = SubmitHours("M2", 1, "1");
  for (int batch = 0; batch < 7; ++batch) static_cast<void>(engine_.minter().WorkOnce());
  EXPECT_EQ(Task(tasks[0]).state, MintState::kConfirmed) << "61 tasks are 7 batches of 10";
}

TEST_F(MinterTest, SoManyAreInWorkAndNoMore) {
  engine_.mint_limits().in_work_max = 15;
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  SubmitHours("M1", 40, "1");
  spoiler.loses_requests = true;
  for (int i = 0; i < 5; ++i) static_cast<void>(engine_.minter().WorkOnce());
  EXPECT_EQ(spoiler.sent.size(), 15U);
  EXPECT_EQ(*engine_.queries().CountTasksInWork(), 15);
}

TEST_F(MinterTest, OnlyAParkedTaskCanBeRetried) {
  const auto tasks = SubmitHours("M1", 1, "1");
  EXPECT_THAT(Await(&Minter::Retry, tasks[0]), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Await(&Minter::Retry, 999), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Await(&Minter::MintByHand, 999), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MinterTest, AMeterWithoutAWalletWaitsForOneAndHoldsUpNobody) {
  engine_.Register("M3", "carol", "");
  const auto waiting = SubmitHours("M3", 15, "1");
  const auto others = SubmitHours("M2", 2, "1");
  engine_.MintAll();
  EXPECT_EQ(Task(waiting[0]).state, MintState::kPending);
  EXPECT_THAT(Task(waiting[0]).reason, HasSubstr("NO_WALLET"));
  EXPECT_EQ(Task(others[1]).state, MintState::kConfirmed);
  std::promise<void> set;
  engine_.registrar().SetWallet("M3", WalletOf("carol"), test::Anybody,
                                [&](auto) { set.set_value(); });
  set.get_future().wait();
  engine_.clock().Advance(engine_.mint_limits().poll_interval);
  engine_.MintAll();
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("carol"))->base_units(), 15'000'000'000);
}

TEST_F(MinterTest, TokensGoToTheOwnerOfTheReadingAlsoAfterATransfer) {
  const auto tasks = SubmitHours("M1", 1, "1");
  Transfer("M1", "bob");
  engine_.MintAll();
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("alice"))->base_units(), 1'000'000'000);
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("bob"))->base_units(), 0);
  EXPECT_EQ(engine_.Facts<domain::TokensMinted>()[0].user_id, "alice");
}

TEST_F(MinterTest, WhatWasProducedBeforeAWalletWasNamedIsNeverMintedToTheNextOwner) {
  engine_.Register("M3", "carol", "");
  const auto tasks = SubmitHours("M3", 1, "1");
  Transfer("M3", "bob");
  engine_.MintAll();
  EXPECT_THAT(Task(tasks[0]).reason, HasSubstr("NO_WALLET"));
  EXPECT_EQ(Supply(), 0);
  engine_.Register("M4", "carol", WalletOf("carol, at first"));
  engine_.clock().Advance(std::chrono::seconds(1));
  engine_.Register("M5", "carol", WalletOf("carol"));
  engine_.Register("M6", "carol", "");
  engine_.clock().Advance(engine_.mint_limits().poll_interval);
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("carol"))->base_units(), 1'000'000'000);
}

TEST_F(MinterTest, ANewWalletOfTheSameOwnerCounts) {
  SubmitHours("M1", 1, "1");
  std::promise<void> set;
  engine_.registrar().SetWallet("M1", WalletOf("new"), test::Anybody,
                                [&](auto) { set.set_value(); });
  set.get_future().wait();
  engine_.MintAll();
  EXPECT_EQ(engine_.ledger().GetBalance(WalletOf("new"))->base_units(), 1'000'000'000);
}

TEST_F(MinterTest, APauseHoldsAndSurvivesARestart) {
  const auto tasks = SubmitHours("M1", 1, "1");
  ASSERT_THAT(Pause("maintenance"), IsOk());
  EXPECT_EQ(*engine_.minter().WorkOnce(), false);
  engine_.Close();
  engine_.Open();
  EXPECT_TRUE(engine_.minter().state().paused);
  EXPECT_EQ(engine_.minter().state().reason, "maintenance");
  EXPECT_EQ(*engine_.minter().WorkOnce(), false);
  ASSERT_THAT(Resume(), IsOk());
  engine_.MintAll();
  ExpectMintedOnce(tasks, 1'000'000'000);
  const auto switched = engine_.Facts<domain::MintingSwitched>();
  ASSERT_EQ(switched.size(), 2U);
  EXPECT_TRUE(switched[0].paused);
  EXPECT_FALSE(switched[1].paused);
}

TEST_F(MinterTest, RunWorksUntilItIsStopped) {
  std::thread thread([this] { engine_.minter().Run(); });
  const auto tasks = SubmitHours("M1", 30, "1");
  engine_.minter().Wake();
  while (Engine::Value(engine_.queries().SumTasks()).confirmed < 30) std::this_thread::yield();
  engine_.minter().Stop();
  thread.join();
  ExpectMintedOnce(tasks, 1'000'000'000);
}

class ManualMinterTest : public MinterTest {
 protected:
  ManualMinterTest() : MinterTest({.automatic = false, .batch_max = 10}) {}
};

TEST_F(ManualMinterTest, NothingIsMintedUnlessAskedForByHandAndThenOnce) {
  const auto tasks = SubmitHours("M1", 3, "1");
  engine_.MintAll();
  EXPECT_EQ(Supply(), 0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(Await(&Minter::MintByHand, tasks[1]), IsOk());
    engine_.MintAll();
  }
  EXPECT_EQ(Supply(), 1'000'000'000);
  EXPECT_EQ(Await(&Minter::MintByHand, tasks[1])->state, MintState::kConfirmed);
  EXPECT_EQ(Task(tasks[0]).state, MintState::kPending);
}

class RatioTest : public MinterTest {
 protected:
  RatioTest() : MinterTest({.ratio = {1, 3}, .automatic = true, .batch_max = 2}) {}
};

// W1: rounded down each, and nothing is lost over many.
TEST_F(RatioTest, WhatRoundingLeavesIsCarriedToTheNextMintOfTheMeter) {
  SubmitHours("M1", 9, "0.000000010");
  engine_.MintAll();
  EXPECT_EQ(Supply(), 30) << "9 x 10 units / 3, though 10 / 3 is 3";
  engine_.Close();
  engine_.Open();
  engine_.Submit({engine_.Hour("M1", 0, "0.000000001")});
  engine_.MintAll();
  EXPECT_EQ(Supply(), 30);
  EXPECT_EQ(engine_.Facts<domain::TaskStatusChanged>().back().new_state, MintState::kNotApplicable);
  engine_.clock().Advance(std::chrono::hours(2));
  engine_.Submit({engine_.Hour("M1", 0, "0.000000002")});
  engine_.MintAll();
  EXPECT_EQ(Supply(), 31) << "1 + 2 units of energy make one of tokens";
}

TEST_F(RatioTest, ARemainderOutlivesAChangeOfTheRatio) {
  SubmitHours("M1", 1, "0.000000002");
  engine_.MintAll();
  EXPECT_EQ(Supply(), 0) << "2/3 of a unit are left over";
  for (const domain::Ratio ratio : {domain::Ratio{1, 2}, domain::Ratio{1, 1}}) {
    engine_.Close();
    engine_.mint_limits().ratio = ratio;
    engine_.Open();
    engine_.clock().Advance(std::chrono::hours(2));
    engine_.Submit({engine_.Hour("M1", 0, "0.000000001")});
    engine_.MintAll();
  }
  EXPECT_EQ(Supply(), 2) << "1/2 (of 2/3, rounded down) and 1/2, and 1";
}

TEST_F(MinterTest, LaterBatchesComeBehindEarlierOnes) {
  std::vector<std::string> batches;
  for (int i = 0; i < 3; ++i) {
    SubmitHours("M1", 1, "1");
    engine_.MintAll();
    engine_.clock().Advance(std::chrono::hours(1));
    batches.push_back(engine_.Facts<domain::TokensMinted>().back().batch_id);
  }
  EXPECT_TRUE(std::ranges::is_sorted(batches));
  EXPECT_EQ(batches.front().at(14), '7') << "a UUID of version 7";
}

TEST_F(RatioTest, ATaskThatIsNotSignedTakesNoRemainderAway) {
  Spoiler spoiler(engine_.ledger());
  engine_.UseLedger(spoiler);
  const auto tasks = SubmitHours("M1", 2, "0.000000010");
  const std::string refused = domain::IdempotencyKey(Task(tasks[0]).reading_id);
  spoiler.change_signed = [&](const ledger::MintOrder& order, auto& mint) {
    if (order.idempotency_key == refused) mint = absl::UnavailableError("away");
  };
  EXPECT_FALSE(engine_.minter().WorkOnce().ok());
  EXPECT_EQ(Task(tasks[1]).state, MintState::kPending) << "it carried on what was not signed";
  EXPECT_EQ(Task(tasks[1]).tokens.base_units(), 0);
  spoiler.change_signed = nullptr;
  LetTimePass();
  engine_.MintAll();
  EXPECT_EQ(Supply(), 6) << "20 units / 3";
}

TEST_F(RatioTest, WhatHasNothingToMintIsNotOpen) {
  SubmitHours("M1", 1, "0.000000002");
  EXPECT_EQ(Engine::Value(engine_.queries().SumTasks()).open, 1);
  engine_.MintAll();
  EXPECT_EQ(Engine::Value(engine_.queries().SumTasks()).open, 0);
  const auto sums = Engine::Value(engine_.queries().SumReadings("M1", ""));
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums[0].not_applicable, 1);
}

}  // namespace
}  // namespace wattmint::mint
