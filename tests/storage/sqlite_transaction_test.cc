// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::storage {
namespace {

using domain::MintState;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::Optional;

class SqliteTransactionTest : public StorageTest {};

TEST_F(SqliteTransactionTest, FindsReadingByItsKeyOnly) {
  const domain::Meter meter = Register("m", "ada");
  domain::Reading reading = Interval("m", 0, 15, 3);
  reading.quality = domain::Quality::kEstimated;
  reading.channel = domain::Channel::kConsumption;
  const domain::ReadingId id = Store(meter, reading, MintState::kNotApplicable);
  const auto transaction = Begin();
  const auto known =
      Value(transaction->FindReading(meter.meter_ref, reading.start, reading.length));
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->reading_id, id);
  EXPECT_EQ(known->energy, Kwh(3));
  EXPECT_EQ(known->quality, domain::Quality::kEstimated);
  EXPECT_EQ(known->channel, domain::Channel::kConsumption);
  EXPECT_EQ(known->mint_state, MintState::kNotApplicable);
  const auto minute = std::chrono::minutes(1);
  EXPECT_THAT(transaction->FindReading(meter.meter_ref + 1, reading.start, reading.length),
              IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(transaction->FindReading(meter.meter_ref, reading.start + minute, reading.length),
              IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(transaction->FindReading(meter.meter_ref, reading.start, reading.length + minute),
              IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteTransactionTest, SeesItsOwnChanges) {
  const domain::Meter meter = Register("m", "ada");
  const auto transaction = Begin();
  const domain::Reading reading = Interval("m", 0, 15);
  ASSERT_THAT(transaction->InsertReading(meter, reading, MintState::kPending, AtMinute(20)),
              IsOk());
  const auto known =
      Value(transaction->FindReading(meter.meter_ref, reading.start, reading.length));
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->mint_state, MintState::kPending);
}

TEST_F(SqliteTransactionTest, ReadingIdHoldsAcceptTimeSaltAndRow) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId first = Store(meter, Interval("m", 0, 15));
  const domain::ReadingId second = Store(meter, Interval("m", 15, 15));
  EXPECT_EQ(first.row(), 1);
  EXPECT_EQ(second.row(), 2);
  EXPECT_EQ(first.salt(), second.salt());
  EXPECT_EQ(first.accept_ms(), AtMinute(15).time_since_epoch() / std::chrono::milliseconds(1));
}

TEST_F(SqliteTransactionTest, LastStartingBeforeExcludesTheEnd) {
  const domain::Meter meter = Register("m", "ada");
  Store(meter, Interval("m", 0, 15));
  Store(meter, Interval("m", 30, 15));
  const auto transaction = Begin();
  EXPECT_THAT(transaction->FindLastStartingBefore(meter.meter_ref, AtMinute(0)),
              IsOkAndHolds(Eq(std::nullopt)));
  const auto start_before = [&](std::int64_t minute) {
    return Value(transaction->FindLastStartingBefore(meter.meter_ref, AtMinute(minute)))->start;
  };
  EXPECT_EQ(start_before(30), AtMinute(0));
  EXPECT_EQ(start_before(31), AtMinute(30));
  EXPECT_EQ(start_before(99), AtMinute(30));
}

TEST_F(SqliteTransactionTest, PointBetweenExcludesBothEndsAndIntervals) {
  const domain::Meter meter = Register("m", "ada");
  Store(meter, Point("m", 30));
  Store(meter, Interval("m", 60, 15));
  const auto transaction = Begin();
  const auto has_point = [&](std::int64_t after, std::int64_t before) {
    return Value(transaction->HasPointBetween(meter.meter_ref, AtMinute(after), AtMinute(before)));
  };
  EXPECT_TRUE(has_point(29, 31));
  EXPECT_FALSE(has_point(30, 40));
  EXPECT_FALSE(has_point(20, 30));
  EXPECT_FALSE(has_point(50, 70));
}

TEST_F(SqliteTransactionTest, LastEndIsThatOfTheReadingThatStartsLast) {
  const domain::Meter meter = Register("m", "ada");
  EXPECT_THAT(Begin()->FindLastEnd(meter.meter_ref), IsOkAndHolds(Eq(std::nullopt)));
  Store(meter, Point("m", -5));
  EXPECT_THAT(Begin()->FindLastEnd(meter.meter_ref), IsOkAndHolds(Optional(AtMinute(-5))));
  Store(meter, Interval("m", 0, 60));
  EXPECT_THAT(Begin()->FindLastEnd(meter.meter_ref), IsOkAndHolds(Optional(AtMinute(60))));
  Store(meter, Point("m", 90));
  EXPECT_THAT(Begin()->FindLastEnd(meter.meter_ref), IsOkAndHolds(Optional(AtMinute(90))));
}

TEST_F(SqliteTransactionTest, RequestIdsBelongToTheirMeter) {
  const domain::Meter meter = Register("m", "ada");
  const domain::Meter other = Register("n", "ada");
  domain::Reading reading = Interval("m", 0, 15);
  reading.request_id = "request-1";
  const domain::ReadingId id = Store(meter, reading);
  Store(other, reading);
  const auto transaction = Begin();
  EXPECT_EQ(Value(transaction->FindRequestId(meter.meter_ref, "request-1"))->reading_id, id);
  EXPECT_THAT(transaction->FindRequestId(meter.meter_ref, "request-2"),
              IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteTransactionTest, AReadingInQuarantineHasAParkedTaskWithItsReason) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id =
      Store(meter, Interval("m", 0, 15, 7), {MintState::kParked, "QUARANTINE_JUMP: x"});
  const auto task = Value(Begin()->FindTask(id.row()));
  ASSERT_TRUE(task.has_value());
  EXPECT_EQ(task->state, MintState::kParked);
  EXPECT_EQ(task->reason, "QUARANTINE_JUMP: x");
  EXPECT_EQ(Value(queries().SumTasks()).parked, 1);
  EXPECT_EQ(Value(queries().SumTasks()).open, 0);
  EXPECT_TRUE(Value(queries().ListDueTasks(AtMinute(999), 10, false)).empty());
  ASSERT_TRUE(Move(id.row(), MintState::kParked, MintState::kPending));
  EXPECT_EQ(Value(queries().SumTasks()).parked, 0);
  EXPECT_EQ(Value(queries().ListDueTasks(AtMinute(999), 10, false)).size(), 1u);
}

TEST_F(SqliteTransactionTest, FindsAReadingByItsRow) {
  const domain::Meter meter = Register("m", "ada");
  domain::Reading reading = Interval("m", 0, 15, 3);
  reading.request_id = "r";
  const domain::ReadingId id = Store(meter, reading);
  const auto stored = Value(Begin()->FindStored(id.row()));
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->meter_ref, meter.meter_ref);
  EXPECT_EQ(stored->accepted.reading_id, id);
  EXPECT_EQ(stored->accepted.user_id, "ada");
  EXPECT_EQ(stored->accepted.reading.energy, Kwh(3));
  EXPECT_EQ(stored->accepted.reading.request_id, "r");
  EXPECT_THAT(Begin()->FindStored(id.row() + 1), IsOkAndHolds(Eq(std::nullopt)));
}

domain::Correction Corrected(std::int64_t old_kwh, std::int64_t kwh, std::int64_t minute) {
  return {0,
          domain::CorrectionKind::kCorrected,
          AtMinute(minute),
          "root",
          "why",
          Kwh(old_kwh),
          domain::Quality::kActual,
          Kwh(kwh),
          domain::Quality::kActual};
}

TEST_F(SqliteTransactionTest, ACorrectionChangesTheReadingAndKeepsWhatItSaid) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15, 7));
  const domain::ReadingId other = Store(meter, Interval("m", 15, 15, 1));
  domain::Correction last = Corrected(8, 2, 50);
  last.quality = domain::Quality::kFinal;
  Write([&](auto& transaction) {
    EXPECT_THAT(transaction.FindLastCorrection(id.row()), IsOkAndHolds(Eq(std::nullopt)));
    EXPECT_THAT(transaction.CorrectReading(id.row(), Corrected(7, 8, 40)), IsOkAndHolds(Eq(1)));
    EXPECT_THAT(transaction.CorrectReading(other.row(), Corrected(1, 3, 45)), IsOkAndHolds(Eq(2)));
    EXPECT_THAT(transaction.CorrectReading(id.row(), last), IsOkAndHolds(Eq(3)));
    last.correction_id = 3;
    EXPECT_THAT(transaction.FindLastCorrection(id.row()), IsOkAndHolds(Optional(last)));
  });
  const auto stored = Value(Begin()->FindStored(id.row()));
  EXPECT_EQ(stored->accepted.reading.energy, Kwh(2));
  EXPECT_EQ(stored->accepted.reading.quality, domain::Quality::kFinal);
  const auto all = Value(queries().ListCorrections(id.row()));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].energy, Kwh(8));
  EXPECT_EQ(all[1], last);
  EXPECT_EQ(Value(queries().SumReadings("m", "")).front().energy_nano_kwh, Kwh(2 + 3).nano_kwh());
}

TEST_F(SqliteTransactionTest, ACorrectionOfAnotherVersionIsRefused) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15, 7));
  EXPECT_THAT(Begin()->CorrectReading(id.row(), Corrected(6, 8, 40)),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(SqliteTransactionTest, ATaskThatIsMadeLaterCountsLikeOneOfTheBeginning) {
  const domain::Meter meter = Register("m", "ada");
  const std::int64_t pending = Store(meter, Interval("m", 0, 15), MintState::kNotApplicable).row();
  const std::int64_t rejected =
      Store(meter, Interval("m", 15, 15), MintState::kNotApplicable).row();
  Write([&](auto& transaction) {
    Value(transaction.InsertTask(pending, MintState::kPending, AtMinute(40)));
    Value(transaction.InsertTask(rejected, {MintState::kRejected, "WITHDRAWN: x"}, AtMinute(40)));
  });
  EXPECT_EQ(Value(queries().SumTasks()).open, 1);
  EXPECT_EQ(Value(queries().SumReadings("m", "")).front().not_applicable, 0);
  const auto due = Value(queries().ListDueTasks(AtMinute(40), 10, false));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].task_id, pending);
  EXPECT_EQ(Value(queries().FindTask(rejected))->reason, "WITHDRAWN: x");
}

TEST_F(SqliteTransactionTest, ThePeakOfAMeterOnlyRises) {
  const domain::Meter meter = Register("m", "ada");
  EXPECT_THAT(Begin()->FindPeak(meter.meter_ref), IsOkAndHolds(Eq(std::nullopt)));
  const auto raise = [&](std::int64_t minute, std::int64_t milliwatts) {
    Write([&](auto& transaction) {
      Value(transaction.RaisePeak(meter.meter_ref, {AtMinute(minute), milliwatts}));
    });
    return *Value(Begin()->FindPeak(meter.meter_ref));
  };
  EXPECT_EQ(raise(5, 100), (domain::PowerPeak{AtMinute(5), 100}));
  EXPECT_EQ(raise(1, 99), (domain::PowerPeak{AtMinute(5), 100}));
  EXPECT_EQ(raise(9, 101), (domain::PowerPeak{AtMinute(5), 101}));
  EXPECT_THAT(Begin()->FindPeak(meter.meter_ref + 1), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteTransactionTest, MintableReadingHasATaskThatIsDueAtOnce) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15, 7));
  const auto task = Value(Begin()->FindTask(id.row()));
  ASSERT_TRUE(task.has_value());
  EXPECT_EQ(task->task_id, id.row());
  EXPECT_EQ(task->reading_id, id);
  EXPECT_EQ(task->meter_id, "m");
  EXPECT_EQ(task->user_id, "ada");
  EXPECT_EQ(task->energy, Kwh(7));
  EXPECT_EQ(task->interval_start, AtMinute(0));
  EXPECT_EQ(task->state, MintState::kPending);
  EXPECT_EQ(task->create_time, AtMinute(15));
  EXPECT_EQ(task->update_time, AtMinute(15));
  EXPECT_EQ(task->next_attempt, AtMinute(15));
  EXPECT_EQ(task->attempts, 0);
  EXPECT_FALSE(task->by_hand);
}

TEST_F(SqliteTransactionTest, ReadingWithNothingToMintHasNoTask) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15), MintState::kNotApplicable);
  EXPECT_THAT(Begin()->FindTask(id.row()), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteTransactionTest, UpdateTaskStoresEveryChangeableField) {
  const domain::Meter meter = Register("m", "ada");
  const std::int64_t task_id = Store(meter, Interval("m", 0, 15)).row();
  ASSERT_TRUE(Change(task_id, MintState::kPending, [](domain::MintTask& task) {
    task.state = MintState::kSigned;
    task.tokens = domain::TokenAmount::FromBaseUnits(123);
    task.wallet_address = "wallet";
    task.signed_bytes = std::string("a\0b", 3);
    task.transaction_signature = "signature";
    task.expiry_height = 77;
    task.batch_id = "batch";
    task.attempts = 2;
    task.sends = 3;
    task.next_attempt = AtMinute(40);
    task.by_hand = true;
    task.reason = "because";
    task.update_time = AtMinute(41);
  }));
  const domain::MintTask task = Value(Begin()->FindTask(task_id)).value();
  EXPECT_EQ(task.state, MintState::kSigned);
  EXPECT_EQ(task.tokens.base_units(), 123);
  EXPECT_EQ(task.wallet_address, "wallet");
  EXPECT_EQ(task.signed_bytes, std::string("a\0b", 3));
  EXPECT_EQ(task.transaction_signature, "signature");
  EXPECT_EQ(task.expiry_height, 77);
  EXPECT_EQ(task.batch_id, "batch");
  EXPECT_EQ(task.attempts, 2);
  EXPECT_EQ(task.sends, 3);
  EXPECT_EQ(task.next_attempt, AtMinute(40));
  EXPECT_TRUE(task.by_hand);
  EXPECT_EQ(task.reason, "because");
  EXPECT_EQ(task.update_time, AtMinute(41));
  EXPECT_EQ(task.create_time, AtMinute(15));
}

TEST_F(SqliteTransactionTest, UpdateTaskChangesNothingFromAnotherState) {
  const domain::Meter meter = Register("m", "ada");
  const std::int64_t task_id = Store(meter, Interval("m", 0, 15)).row();
  EXPECT_FALSE(Move(task_id, MintState::kSigned, MintState::kConfirmed));
  EXPECT_EQ(Value(Begin()->FindTask(task_id))->state, MintState::kPending);
}

TEST_F(SqliteTransactionTest, UpdateTaskOfNoTaskAnswersFalse) {
  domain::MintTask task;
  task.task_id = 5;
  EXPECT_THAT(Begin()->UpdateTask(task, MintState::kPending), IsOkAndHolds(false));
}

TEST_F(SqliteTransactionTest, RemainderIsZeroAtFirstAndThenWhatWasSet) {
  Register("m", "ada");
  const auto transaction = Begin();
  EXPECT_THAT(transaction->GetRemainder("m"), IsOkAndHolds(domain::Remainder{0, 1}));
  EXPECT_THAT(transaction->SetRemainder("m", {2, 3}), IsOk());
  EXPECT_THAT(transaction->GetRemainder("m"), IsOkAndHolds(domain::Remainder{2, 3}));
}

TEST_F(SqliteTransactionTest, SequencesContinueWithoutGapsAcrossRollbacksAndReopening) {
  Write([](auto& transaction) {
    EXPECT_THAT(transaction.AppendEvent("one"), IsOkAndHolds(1));
    EXPECT_THAT(transaction.AppendEvent("two"), IsOkAndHolds(2));
  });
  EXPECT_THAT(Begin()->AppendEvent("lost"), IsOkAndHolds(3));
  Write([](auto& transaction) { EXPECT_THAT(transaction.AppendEvent("x"), IsOkAndHolds(3)); });
  Open();
  Write([](auto& transaction) { EXPECT_THAT(transaction.AppendEvent(""), IsOkAndHolds(4)); });
  ASSERT_THAT(journal().Reopen(), IsOk());
  Write([](auto& transaction) { EXPECT_THAT(transaction.AppendEvent("y"), IsOkAndHolds(5)); });
}

TEST_F(SqliteTransactionTest, RowsContinueWithoutGapsAcrossRollbacks) {
  const domain::Meter meter = Register("m", "ada");
  const auto insert = [&](store::Transaction& transaction) {
    return Value(transaction.InsertReading(meter, Interval("m", 0, 15), MintState::kPending,
                                           AtMinute(15)))
        .row();
  };
  store::ReadingQuery all;
  all.count_max = 9;
  EXPECT_EQ(insert(*Begin()), 1);
  EXPECT_THAT(queries().ListReadings(all), IsOkAndHolds(testing::IsEmpty()));
  Write([&](auto& transaction) { EXPECT_EQ(insert(transaction), 1); });
  EXPECT_THAT(queries().ListReadings(all), IsOkAndHolds(testing::SizeIs(1)));
}

TEST_F(SqliteTransactionTest, RolledBackOwnerIsForgotten) {
  domain::Meter meter = Register("m", "ada");
  {
    const auto transaction = Begin();
    ASSERT_THAT(
        transaction->InsertReading(meter, Interval("m", 0, 15), MintState::kPending, AtMinute(15)),
        IsOk());
  }
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15));
  EXPECT_EQ(Value(queries().FindReading(id))->user_id, "ada");
}

TEST_F(SqliteTransactionTest, SecondReadingWithTheSameKeyIsOurBug) {
  const domain::Meter meter = Register("m", "ada");
  Store(meter, Interval("m", 0, 15));
  const auto transaction = Begin();
  EXPECT_THAT(
      transaction->InsertReading(meter, Interval("m", 0, 15), MintState::kPending, AtMinute(15)),
      StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("UNIQUE")));
  EXPECT_TRUE(transaction->IsBroken());
  EXPECT_THAT(transaction->AppendEvent("x"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(transaction->Commit(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SqliteTransactionTest, SecondRequestIdOfAMeterIsOurBug) {
  const domain::Meter meter = Register("m", "ada");
  domain::Reading reading = Interval("m", 0, 15);
  reading.request_id = "r";
  Store(meter, reading);
  reading.start = AtMinute(15);
  EXPECT_THAT(Begin()->InsertReading(meter, reading, MintState::kPending, AtMinute(30)),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(SqliteTransactionTest, UnknownMeterIsOurBug) {
  EXPECT_THAT(Begin()->GetRemainder("?"), StatusIs(absl::StatusCode::kInternal));
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_THAT(Begin()->SetRemainder("?", {1, 2}), StatusIs(absl::StatusCode::kInternal));
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_THAT(Begin()->UpdateMeter({}), StatusIs(absl::StatusCode::kInternal));
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_THAT(Begin()->UpdateApiKey({}), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(SqliteTransactionTest, BrokenJournalBeginsNothingUntilItIsReopened) {
  EXPECT_THAT(Begin()->GetRemainder("?"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(journal().Begin(), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_FALSE(Begin()->IsBroken());
}

TEST_F(SqliteTransactionTest, SwitchesAreSetReplacedAndRemoved) {
  const auto set = [&](std::string_view value) {
    Write([&](auto& transaction) { EXPECT_THAT(transaction.SetSwitch("s", value), IsOk()); });
    return Value(queries().GetSwitch("s"));
  };
  EXPECT_THAT(queries().GetSwitch("s"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_EQ(set("a"), "a");
  EXPECT_EQ(set("b"), "b");
  EXPECT_EQ(set(""), std::nullopt);
}

TEST_F(SqliteTransactionTest, TheLastUseOfAnyKeyIsKept) {
  const store::KeyUse first{"abcdefgh", AtMinute(1)};
  const store::KeyUse second{"bcdefghi", AtMinute(2)};
  Write([&](auto& transaction) {
    EXPECT_THAT(transaction.SetKeyUse(second), IsOk());
    EXPECT_THAT(transaction.SetKeyUse({"abcdefgh", AtMinute(0)}), IsOk());
    EXPECT_THAT(transaction.SetKeyUse(first), IsOk());
  });
  EXPECT_THAT(queries().LoadKeyUses(), IsOkAndHolds(testing::ElementsAre(first, second)));
}

TEST_F(SqliteTransactionTest, AnnouncementsAreFoundByTheirRequest) {
  const store::AnnouncementRecord record{"r-1", {1, 2, 3}, 42, AtMinute(1)};
  Write([&](auto& transaction) { EXPECT_THAT(transaction.InsertAnnouncement(record), IsOk()); });
  const auto transaction = Begin();
  EXPECT_THAT(transaction->FindAnnouncement("r-1"), IsOkAndHolds(Optional(record)));
  EXPECT_THAT(transaction->FindAnnouncement("r-2"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteTransactionTest, ApiKeysAreStoredAndChangedWhole) {
  store::ApiKeyRecord key{"abcdefgh",  {1, 2, 3},    "ada",        0x80000001, "Ada's",
                          AtMinute(1), std::nullopt, std::nullopt, 5};
  Write([&](auto& transaction) { EXPECT_THAT(transaction.InsertApiKey(key), IsOk()); });
  EXPECT_THAT(queries().LoadApiKeys(), IsOkAndHolds(testing::ElementsAre(key)));
  key = {"abcdefgh", {4}, "bob", 2, "", AtMinute(2), AtMinute(3), AtMinute(4), 0};
  Write([&](auto& transaction) { EXPECT_THAT(transaction.UpdateApiKey(key), IsOk()); });
  EXPECT_THAT(queries().LoadApiKeys(), IsOkAndHolds(testing::ElementsAre(key)));
}

TEST_F(SqliteTransactionTest, ACounterIsOfOneMeterAndKeyAndMovesWithItsReading) {
  domain::Meter meter = Register("m", "ada");
  const auto signed_at = [](std::int64_t minute, std::int64_t counter) {
    domain::Reading reading = Interval("m", minute, 15);
    reading.meter_signature = "signature";
    reading.meter_counter = counter;
    return reading;
  };
  const auto counter = [&](std::string_view key) {
    return Value(Begin()->FindCounter(meter.meter_ref, key));
  };
  Store(meter, signed_at(0, 3));
  meter.public_key = "key";
  EXPECT_EQ(counter("key"), 0) << "the meter had no key";
  const domain::ReadingId id = Store(meter, signed_at(15, 7));
  EXPECT_EQ(counter("key"), 7);
  EXPECT_EQ(counter("another"), 0);
  EXPECT_THAT(Begin()->FindCounter(meter.meter_ref + 1, "key"), IsOkAndHolds(0));
  Store(meter, signed_at(30, 0));
  EXPECT_EQ(counter("key"), 7) << "the older text has none";
  {
    const auto rolled_back = Begin();
    ASSERT_THAT(
        rolled_back->InsertReading(meter, signed_at(45, 9), MintState::kPending, AtMinute(60)),
        IsOk());
    EXPECT_THAT(rolled_back->FindCounter(meter.meter_ref, "key"), IsOkAndHolds(9));
  }
  EXPECT_EQ(counter("key"), 7);
  const auto stored = Value(queries().FindReading(id)).value();
  EXPECT_EQ(stored.public_key, "key");
  EXPECT_EQ(stored.reading.meter_counter, 7);
}

TEST_F(SqliteTransactionTest, MetersAreStoredAndChangedWhole) {
  domain::Meter meter = Register("m", "ada");
  EXPECT_THAT(queries().LoadMeters(), IsOkAndHolds(testing::ElementsAre(meter)));
  meter = {meter.meter_ref, "m", "bob", "", AtMinute(8), AtMinute(9), "key"};
  Write([&](auto& transaction) { EXPECT_THAT(transaction.UpdateMeter(meter), IsOk()); });
  EXPECT_THAT(queries().LoadMeters(), IsOkAndHolds(testing::ElementsAre(meter)));
}

}  // namespace
}  // namespace wattmint::storage
