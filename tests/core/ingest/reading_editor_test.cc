// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/reading_editor.h"

#include "core/access/reason.h"
#include "core/mint/transitions.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace wattmint::ingest {
namespace {

using domain::Correction;
using domain::CorrectionKind;
using domain::MintState;
using domain::MintTask;
using domain::Quality;
using domain::Reading;
using domain::ReadingId;
using domain::Rejection;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using Result = ReadingEditor::Result;

class ReadingEditorTest : public testing::Test {
 protected:
  ReadingEditorTest() { engine_.Register("M1", "alice"); }

  ReadingId SubmitHour(std::string_view kwh, Quality quality = Quality::kActual) {
    Reading reading = engine_.Hour("M1", 3, kwh);
    reading.quality = quality;
    const Answer answer = engine_.Submit({reading}).front();
    EXPECT_EQ(answer.outcome, Outcome::kAccepted) << answer.refusal.message;
    return *answer.reading_id;
  }
  absl::StatusOr<Result> Withdraw(const ReadingId& id, const std::string& reason = "broken") {
    std::promise<absl::StatusOr<Result>> promise;
    engine_.editor().Withdraw({id, "root", reason},
                              [&](auto result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  absl::StatusOr<Result> Correct(const ReadingId& id, std::string_view kwh,
                                 std::optional<Quality> quality = std::nullopt) {
    std::promise<absl::StatusOr<Result>> promise;
    engine_.editor().Correct({id, "root", "better known"}, *domain::Energy::Parse(kwh), quality,
                             [&](auto result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  std::optional<MintTask> Task(const ReadingId& id) {
    return Engine::Value(engine_.queries().FindTask(id.row()));
  }
  // Puts the task into a state, as a minter or a crash would leave it.
  void Put(const ReadingId& id, const std::function<void(MintTask&)>& change) {
    Engine::Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) -> absl::Status {
      MintTask task = *Engine::Value(context.transaction().FindTask(id.row()));
      const MintState from = task.state;
      change(task);
      return context.transaction().UpdateTask(task, from).status();
    }));
  }
  std::vector<Correction> Corrections(const ReadingId& id) {
    return Engine::Value(engine_.queries().ListCorrections(id.row()));
  }
  // Names of the events behind the first `after`.
  std::vector<std::string> Story(std::size_t after) {
    std::vector<std::string> story;
    for (const auto& event : engine_.Events()) {
      if (after > 0) {
        --after;
      } else {
        story.emplace_back(Name(TypeOf(event.fact)));
      }
    }
    return story;
  }
  std::size_t EventCount() { return engine_.Events().size(); }
  std::int64_t Supply() { return engine_.ledger().GetSupply()->tokens.base_units(); }
  // Neither way to change the reading is open, for this reason, and nothing was written.
  void ExpectRefused(const ReadingId& id, std::string_view reason) {
    const std::size_t events = EventCount();
    for (const absl::Status& status :
         {Withdraw(id).status(), Correct(id, "7.25", Quality::kFinal).status()}) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
      EXPECT_EQ(access::ReasonOf(status).value_or(""), reason) << status.ToString();
    }
    EXPECT_EQ(EventCount(), events);
    EXPECT_TRUE(Corrections(id).empty());
  }

  Engine engine_;
};

TEST_F(ReadingEditorTest, AnEstimateIsMintedAsItsFinalValue) {
  const ReadingId id = SubmitHour("2", Quality::kEstimated);
  const std::size_t events = EventCount();
  const auto result = Correct(id, "2.5", Quality::kFinal);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reading.reading.energy.ToString(), "2.5");
  EXPECT_EQ(result->reading.reading.quality, Quality::kFinal);
  EXPECT_EQ(result->reading.mint_state, MintState::kPending);
  EXPECT_EQ(result->correction_id, 1);
  EXPECT_THAT(Story(events), ElementsAre("ReadingCorrected", "TaskCreated"));
  const auto told = engine_.Facts<domain::ReadingCorrected>()[0];
  EXPECT_EQ(told.user_id, "alice");
  EXPECT_EQ(told.wallet_address, test::WalletOf("alice"));
  EXPECT_EQ(told.old_energy.ToString(), "2");
  EXPECT_EQ(told.energy.ToString(), "2.5");
  EXPECT_EQ(told.old_quality, Quality::kEstimated);
  EXPECT_EQ(told.quality, Quality::kFinal);
  EXPECT_EQ(told.task_id, id.row());
  EXPECT_EQ(told.reason, "better known");
  EXPECT_EQ(told.correction_id, 1);
  engine_.MintAll();
  EXPECT_EQ(Task(id)->state, MintState::kConfirmed);
  EXPECT_EQ(Supply(), 2'500'000'000);
}

TEST_F(ReadingEditorTest, EveryVersionIsKept) {
  const ReadingId id = SubmitHour("2");
  ASSERT_THAT(Correct(id, "3"), IsOk());
  ASSERT_THAT(Correct(id, "3", Quality::kFinal), IsOk());
  ASSERT_THAT(Withdraw(id), IsOk());
  const auto all = Corrections(id);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].user_id, "root");
  EXPECT_EQ(all[0].reason, "better known");
  EXPECT_EQ(all[0].time, engine_.clock().Now());
  EXPECT_EQ(all[0].old_energy.ToString(), "2");
  EXPECT_EQ(all[0].energy.ToString(), "3");
  EXPECT_EQ(all[1].old_quality, Quality::kActual);
  EXPECT_EQ(all[1].quality, Quality::kFinal);
  EXPECT_EQ(all[2].kind, CorrectionKind::kWithdrawn);
  EXPECT_EQ(all[2].energy.ToString(), "3");
}

TEST_F(ReadingEditorTest, WhatIsCorrectedToNothingIsNotMinted) {
  const ReadingId id = SubmitHour("2");
  const std::size_t events = EventCount();
  const auto result = Correct(id, "0");
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reading.mint_state, MintState::kNotApplicable);
  EXPECT_THAT(Story(events), ElementsAre("ReadingCorrected", "TaskStatusChanged"));
  EXPECT_EQ(engine_.Facts<domain::TaskStatusChanged>()[0].reason, "CORRECTED: better known");
  engine_.MintAll();
  EXPECT_EQ(Supply(), 0);
  ASSERT_THAT(Correct(id, "1"), IsOk());
  engine_.MintAll();
  EXPECT_EQ(Supply(), 1'000'000'000) << "and minted when it is something again";
}

TEST_F(ReadingEditorTest, AnEstimateThatStaysOneHasStillNothingToMint) {
  const ReadingId id = SubmitHour("2", Quality::kEstimated);
  const auto result = Correct(id, "3");
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reading.mint_state, MintState::kNotApplicable);
  EXPECT_FALSE(Task(id));
  EXPECT_EQ(engine_.Facts<domain::ReadingCorrected>()[0].task_id, 0);
}

TEST_F(ReadingEditorTest, TheSameCorrectionAgainIsTheFirstAnswer) {
  const ReadingId id = SubmitHour("2");
  const auto first = Correct(id, "3", Quality::kFinal);
  ASSERT_THAT(first, IsOk());
  engine_.MintAll();
  const std::size_t events = EventCount();
  const auto again = Correct(id, "3.0", Quality::kFinal);
  ASSERT_THAT(again, IsOk()) << "also when it was minted meanwhile";
  EXPECT_EQ(again->correction_id, first->correction_id);
  EXPECT_EQ(EventCount(), events);
  EXPECT_EQ(Corrections(id).size(), 1u);
}

TEST_F(ReadingEditorTest, WhatItSaysFromTheBeginningIsNoCorrection) {
  const ReadingId id = SubmitHour("2");
  const auto result = Correct(id, "2");
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->correction_id, 0);
  EXPECT_TRUE(Corrections(id).empty());
}

TEST_F(ReadingEditorTest, AnEnergyThatIsNoneIsRefusedAndChangesNothing) {
  const ReadingId id = SubmitHour("2");
  const std::size_t events = EventCount();
  const auto negative = Correct(id, "-1");
  const auto too_high = Correct(id, "100.000000001");
  ASSERT_THAT(negative, IsOk());
  ASSERT_THAT(too_high, IsOk());
  EXPECT_EQ(negative->refusal.rejection, Rejection::kEnergyNegative);
  EXPECT_EQ(too_high->refusal.rejection, Rejection::kEnergyTooHigh);
  EXPECT_EQ(too_high->reading.reading.energy.ToString(), "2");
  EXPECT_EQ(EventCount(), events);
  EXPECT_TRUE(Corrections(id).empty());
}

TEST_F(ReadingEditorTest, AWithdrawnReadingKeepsItsKeyAndIsNeverMinted) {
  const ReadingId id = SubmitHour("2");
  const std::size_t events = EventCount();
  const auto result = Withdraw(id);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reading.mint_state, MintState::kRejected);
  EXPECT_THAT(Story(events), ElementsAre("ReadingWithdrawn", "TaskStatusChanged"));
  EXPECT_EQ(engine_.Facts<domain::ReadingWithdrawn>()[0].user_id, "alice");
  EXPECT_EQ(Task(id)->reason, "WITHDRAWN: broken");
  const Answer again = engine_.Submit({engine_.Hour("M1", 3, "2")}).front();
  EXPECT_EQ(again.outcome, Outcome::kExists);
  EXPECT_EQ(again.mint_state, MintState::kRejected);
  engine_.MintAll();
  EXPECT_EQ(Supply(), 0);
}

TEST_F(ReadingEditorTest, WithdrawingTwiceIsTheSameAndNothingFollows) {
  const ReadingId id = SubmitHour("2");
  const auto first = Withdraw(id);
  const std::size_t events = EventCount();
  const auto second = Withdraw(id, "for another reason");
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->correction_id, first->correction_id);
  EXPECT_EQ(EventCount(), events);
  EXPECT_THAT(Correct(id, "3"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("WITHDRAWN: broken")));
  EXPECT_THAT(Correct(id, "2"), StatusIs(absl::StatusCode::kFailedPrecondition))
      << "also to what it said";
}

TEST_F(ReadingEditorTest, AReadingWithoutATaskIsWithdrawnToo) {
  const ReadingId id = SubmitHour("0");
  const std::size_t events = EventCount();
  const auto result = Withdraw(id);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reading.mint_state, MintState::kRejected);
  EXPECT_THAT(Story(events), ElementsAre("ReadingWithdrawn"));
  EXPECT_EQ(engine_.Facts<domain::ReadingWithdrawn>()[0].task_id, 0);
  EXPECT_EQ(engine_.Submit({engine_.Hour("M1", 3, "0")}).front().mint_state, MintState::kRejected);
  EXPECT_EQ(Withdraw(id)->correction_id, result->correction_id);
}

TEST_F(ReadingEditorTest, WhatIsInQuarantineIsCorrectedOrWithdrawn) {
  const ReadingId sentinel = SubmitHour("65.535");
  ASSERT_EQ(Task(sentinel)->state, MintState::kParked);
  ASSERT_THAT(Correct(sentinel, "1.5"), IsOk());
  EXPECT_EQ(Task(sentinel)->state, MintState::kPending);
  engine_.MintAll();
  EXPECT_EQ(Supply(), 1'500'000'000);
  const Answer other = engine_.Submit({engine_.Hour("M1", 2, "32.767")}).front();
  ASSERT_THAT(Withdraw(*other.reading_id), IsOk());
  EXPECT_EQ(Task(*other.reading_id)->state, MintState::kRejected);
}

TEST_F(ReadingEditorTest, WhatMayHaveBeenSignedIsLeftAlone) {
  const ReadingId id = SubmitHour("2");
  Put(id, [](MintTask& task) {
    task.state = MintState::kSigned;
    task.signed_bytes = "bytes";
  });
  ExpectRefused(id, access::reason::kMintInWork);
  Put(id, [](MintTask& task) { task.state = MintState::kSubmitted; });
  ExpectRefused(id, access::reason::kMintInWork);
  Put(id, [](MintTask& task) { task.state = MintState::kParked; });
  ExpectRefused(id, access::reason::kMintInWork);
  Put(id, [](MintTask& task) { task.signed_bytes.clear(); });
  EXPECT_THAT(Correct(id, "3"), IsOk());
}

TEST_F(ReadingEditorTest, WhatIsOnTheLedgerCannotBeTakenBack) {
  const ReadingId id = SubmitHour("2");
  engine_.MintAll();
  ExpectRefused(id, access::reason::kAlreadyMinted);
  EXPECT_THAT(Withdraw(id),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("2 GRX of reading")));
}

TEST_F(ReadingEditorTest, WhatWasCarriedOverWasMintedWithTheNext) {
  const ReadingId id = SubmitHour("0.000000001");
  Put(id, [](MintTask& task) {
    task.state = MintState::kNotApplicable;
    task.reason = "BELOW_ONE_UNIT: carried over to the meter's next mint";
  });
  ExpectRefused(id, access::reason::kAlreadyMinted);
}

TEST_F(ReadingEditorTest, WhatThereIsNotIsNotFound) {
  SubmitHour("2");
  EXPECT_THAT(Withdraw(ReadingId(domain::Time(), 1, 99)), StatusIs(absl::StatusCode::kNotFound));
  const ReadingId of_another_log(engine_.clock().Now() - std::chrono::hours(9), 77, 1);
  EXPECT_THAT(Correct(of_another_log, "1"), StatusIs(absl::StatusCode::kNotFound))
      << "the row alone does not name a reading";
}

TEST_F(ReadingEditorTest, AClaimOnACorrectedReadingIsLost) {
  const ReadingId id = SubmitHour("2");
  std::vector<MintTask> claimed;
  Engine::Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) -> absl::Status {
    claimed = Engine::Value(
        mint::WriteClaims(context, {*Task(id)}, "batch", context.now() + std::chrono::seconds(10)));
    return absl::OkStatus();
  }));
  ASSERT_EQ(claimed.size(), 1u);
  const std::size_t events = EventCount();
  ASSERT_THAT(Correct(id, "5"), IsOk());
  EXPECT_THAT(Story(events), ElementsAre("ReadingCorrected")) << "a claim was never told";
  claimed[0].tokens = domain::TokenAmount::FromBaseUnits(2'000'000'000);
  claimed[0].signed_bytes = "bytes";
  mint::Plan plan;
  plan.batch_id = "batch";
  plan.to_sign = claimed;
  EXPECT_THAT(
      store::RunOp(engine_.queue(),
                   [&](store::WriteContext& context) { return mint::WritePlan(context, plan); }),
      StatusIs(absl::StatusCode::kAborted));
  engine_.MintAll();
  EXPECT_EQ(Supply(), 5'000'000'000) << "the new energy, once";
}

// A minter looks for due tasks first, and claims them in a later transaction.
TEST_F(ReadingEditorTest, AClaimTakesTheEnergyOfItsOwnTime) {
  const ReadingId id = SubmitHour("2");
  const MintTask seen = *Task(id);
  ASSERT_THAT(Correct(id, "5"), IsOk());
  std::vector<MintTask> claimed;
  Engine::Check(store::RunOp(engine_.queue(), [&](store::WriteContext& context) -> absl::Status {
    claimed = Engine::Value(mint::WriteClaims(context, {seen}, "batch", context.now()));
    return absl::OkStatus();
  }));
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].energy.ToString(), "5");
  EXPECT_EQ(claimed[0].reason, Task(id)->reason);
}

TEST_F(ReadingEditorTest, SumsFollow) {
  const ReadingId id = SubmitHour("2");
  ASSERT_THAT(Correct(id, "3"), IsOk());
  auto sums = Engine::Value(engine_.queries().SumReadings("M1", "")).front();
  EXPECT_EQ(sums.energy_nano_kwh, 3'000'000'000);
  ASSERT_THAT(Correct(id, "0"), IsOk());
  sums = Engine::Value(engine_.queries().SumReadings("M1", "")).front();
  EXPECT_EQ(sums.energy_nano_kwh, 0);
  EXPECT_EQ(sums.not_applicable, 1);
  EXPECT_EQ(Engine::Value(engine_.queries().SumTasks()).open, 0);
}

}  // namespace
}  // namespace wattmint::ingest
