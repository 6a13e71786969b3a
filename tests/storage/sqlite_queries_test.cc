// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::storage {
namespace {

using domain::MintState;
using test::IsOk;
using test::IsOkAndHolds;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;

constexpr std::int64_t kAny = 1'000;

class SqliteQueriesTest : public StorageTest {
 protected:
  std::vector<std::int64_t> Rows(const std::string& meter_id, const std::string& user_id,
                                 std::int64_t after = 0, int count = kAny) {
    store::ReadingQuery query;
    query.meter_id = meter_id;
    query.user_id = user_id;
    query.after_row = after;
    query.count_max = count;
    return Rows(query);
  }
  std::vector<std::int64_t> Rows(const store::ReadingQuery& query) {
    std::vector<std::int64_t> rows;
    for (const auto& reading : Value(queries().ListReadings(query))) rows.push_back(reading.row);
    return rows;
  }
  std::vector<std::int64_t> Tasks(const std::string& meter_id, const std::string& user_id,
                                  std::optional<MintState> state, std::int64_t after = 0,
                                  int count = kAny) {
    store::TaskQuery query;
    query.meter_id = meter_id;
    query.user_id = user_id;
    query.state = state;
    query.after_task_id = after;
    query.count_max = count;
    return Ids(queries().ListTasks(query));
  }
  static std::vector<std::int64_t> Ids(absl::StatusOr<std::vector<domain::MintTask>> tasks) {
    std::vector<std::int64_t> ids;
    for (const auto& task : Value(std::move(tasks))) ids.push_back(task.task_id);
    return ids;
  }
  void Transfer(domain::Meter& meter, const std::string& user_id) {
    meter.user_id = user_id;
    meter.wallet_address = "wallet-" + user_id;
    Write([&](auto& transaction) { EXPECT_THAT(transaction.UpdateMeter(meter), IsOk()); });
  }
  void Confirm(std::int64_t task_id, std::int64_t base_units) {
    ASSERT_TRUE(Change(task_id, MintState::kPending, [&](domain::MintTask& task) {
      task.state = MintState::kConfirmed;
      task.tokens = domain::TokenAmount::FromBaseUnits(base_units);
    }));
  }
};

TEST_F(SqliteQueriesTest, FindsReadingWithEverythingThatWasStored) {
  domain::Meter meter = Register("m", "ada");
  domain::Reading reading = Interval("m", 0, 15, 3);
  reading.quality = domain::Quality::kFinal;
  reading.request_id = "r";
  reading.meter_signature = "s";
  reading.telemetry = {230.5, std::nullopt, -4.0, 50.0};
  const domain::ReadingId id = Store(meter, reading);
  const domain::AcceptedReading found = Value(queries().FindReading(id)).value();
  EXPECT_EQ(found.reading_id, id);
  EXPECT_EQ(found.row, 1);
  EXPECT_EQ(found.task_id, 1);
  EXPECT_EQ(found.reading.meter_id, "m");
  EXPECT_TRUE(found.reading.HasSameContent(reading));
  EXPECT_EQ(found.reading.start, reading.start);
  EXPECT_EQ(found.reading.length, reading.length);
  EXPECT_EQ(found.reading.telemetry, reading.telemetry);
  EXPECT_EQ(found.reading.request_id, "r");
  EXPECT_EQ(found.reading.meter_signature, "s");
  EXPECT_EQ(found.user_id, "ada");
  EXPECT_EQ(found.wallet_address, "wallet-ada");
  EXPECT_EQ(found.accept_time, AtMinute(15));
  EXPECT_EQ(found.mint_state, MintState::kPending);
}

TEST_F(SqliteQueriesTest, FindsNoReadingByAnIdThatOnlySharesTheRow) {
  const domain::Meter meter = Register("m", "ada");
  const domain::ReadingId id = Store(meter, Interval("m", 0, 15), MintState::kNotApplicable);
  EXPECT_EQ(Value(queries().FindReading(id))->task_id, 0);
  EXPECT_EQ(Value(queries().FindReading(id))->mint_state, MintState::kNotApplicable);
  const auto other_salt = static_cast<std::uint16_t>(id.salt() ^ 1);
  EXPECT_THAT(queries().FindReading({AtMinute(15), other_salt, 1}), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(queries().FindReading({AtMinute(16), id.salt(), 1}), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(queries().FindReading({AtMinute(15), id.salt(), 2}), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteQueriesTest, ListsReadingsByRowInPages) {
  const domain::Meter a = Register("a", "ada");
  const domain::Meter b = Register("b", "bob");
  // Later rows are earlier in time, so that the index's order is not the answer's.
  for (int i = 0; i < 6; ++i) {
    const domain::Meter& meter = i % 2 == 0 ? a : b;
    Store(meter, Interval(meter.meter_id, -15 * i, 15));
  }
  EXPECT_THAT(Rows("", ""), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Rows("", "", 2, 3), ElementsAre(3, 4, 5));
  EXPECT_THAT(Rows("a", ""), ElementsAre(1, 3, 5));
  EXPECT_THAT(Rows("a", "", 1, 1), ElementsAre(3));
  EXPECT_THAT(Rows("", "bob"), ElementsAre(2, 4, 6));
  EXPECT_THAT(Rows("", "bob", 2, 1), ElementsAre(4));
  EXPECT_THAT(Rows("a", "ada"), ElementsAre(1, 3, 5));
  EXPECT_THAT(Rows("a", "bob"), IsEmpty());
  EXPECT_THAT(Rows("unknown", ""), IsEmpty());
  EXPECT_THAT(Rows("", "unknown"), IsEmpty());
}

TEST_F(SqliteQueriesTest, ListsReadingsThatStartInARange) {
  const domain::Meter meter = Register("m", "ada");
  for (int i = 0; i < 4; ++i) Store(meter, Interval("m", 15 * i, 15));
  store::ReadingQuery query;
  query.count_max = kAny;
  query.start_min = AtMinute(15);
  query.start_max = AtMinute(45);
  EXPECT_THAT(Rows(query), ElementsAre(2, 3));
  query.meter_id = "m";
  EXPECT_THAT(Rows(query), ElementsAre(2, 3));
  query.user_id = "ada";
  EXPECT_THAT(Rows(query), ElementsAre(2, 3));
}

TEST_F(SqliteQueriesTest, HistoryStaysWithTheOwnerOfItsTime) {
  domain::Meter meter = Register("m", "ada");
  Store(meter, Interval("m", 0, 15, 1));
  Transfer(meter, "bob");
  Store(meter, Interval("m", 15, 15, 2));
  Transfer(meter, "ada");
  Store(meter, Interval("m", 30, 15, 4));
  EXPECT_THAT(Rows("m", "ada"), ElementsAre(1, 3));
  EXPECT_THAT(Rows("m", "bob"), ElementsAre(2));
  EXPECT_THAT(Tasks("", "ada", std::nullopt), ElementsAre(1, 3));
  EXPECT_EQ(Value(queries().FindTask(2))->user_id, "bob");
  const auto energy = [&](const std::string& user_id) {
    return Value(queries().SumReadings("m", user_id)).at(0).energy_nano_kwh;
  };
  EXPECT_EQ(energy("ada"), Kwh(5).nano_kwh());
  EXPECT_EQ(energy("bob"), Kwh(2).nano_kwh());
  EXPECT_EQ(energy(""), Kwh(7).nano_kwh());
}

TEST_F(SqliteQueriesTest, SumsCountEachReadingOnceWhateverItsState) {
  const domain::Meter meter = Register("m", "ada");
  const domain::Meter other = Register("a", "ada");
  domain::Reading consumed = Interval("m", 0, 15, 100);
  consumed.channel = domain::Channel::kConsumption;
  Store(meter, consumed, MintState::kNotApplicable);
  const std::int64_t confirmed = Store(meter, Interval("m", 15, 15, 3)).row();
  const std::int64_t parked = Store(meter, Interval("m", 30, 15, 5)).row();
  const std::int64_t rejected = Store(meter, Interval("m", 45, 15, 7)).row();
  Store(other, Interval("a", 0, 15, 11));
  Confirm(confirmed, 33);
  Move(parked, MintState::kPending, MintState::kParked);
  Move(rejected, MintState::kPending, MintState::kRejected);

  const auto sums = Value(queries().SumReadings("", "ada"));
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0].meter_id, "a");
  EXPECT_EQ(sums[1].meter_id, "m");
  EXPECT_EQ(sums[1].readings, 4);
  EXPECT_EQ(sums[1].not_applicable, 1);
  EXPECT_EQ(sums[1].minted, 1);
  EXPECT_EQ(sums[1].energy_nano_kwh, Kwh(15).nano_kwh());
  EXPECT_EQ(sums[1].minted_nano_kwh, Kwh(3).nano_kwh());
  EXPECT_EQ(sums[1].minted_base_units, 33);
  EXPECT_THAT(queries().SumReadings("m", "bob"), IsOkAndHolds(IsEmpty()));

  const store::TaskSums tasks = Value(queries().SumTasks());
  EXPECT_EQ(tasks.confirmed, 1);
  EXPECT_EQ(tasks.confirmed_base_units, 33);
  EXPECT_EQ(tasks.confirmed_nano_kwh, Kwh(3).nano_kwh());
  EXPECT_EQ(tasks.open, 1);
  EXPECT_EQ(tasks.parked, 1);
  EXPECT_EQ(tasks.rejected, 1);
  EXPECT_EQ(tasks.not_applicable, 1);

  Move(parked, MintState::kParked, MintState::kPending);
  EXPECT_EQ(Value(queries().SumTasks()).open, 2);
  EXPECT_EQ(Value(queries().SumTasks()).parked, 0);
}

TEST_F(SqliteQueriesTest, SumsOfNothingAreZero) {
  EXPECT_EQ(Value(queries().SumTasks()).open, 0);
  EXPECT_THAT(queries().SumReadings("", ""), IsOkAndHolds(IsEmpty()));
}

TEST_F(SqliteQueriesTest, ListsTasksByEveryCombinationOfMeterUserAndState) {
  const domain::Meter a = Register("a", "ada");
  const domain::Meter b = Register("b", "bob");
  const std::vector<MintState> states = {
      MintState::kPending,   MintState::kClaimed, MintState::kSigned,  MintState::kSubmitted,
      MintState::kConfirmed, MintState::kParked,  MintState::kRejected};
  std::int64_t task_id = 0;
  for (int i = 0; i < 2; ++i) {
    for (const MintState state : states) {
      for (const domain::Meter& meter : {a, b}) {
        ++task_id;
        Store(meter, Interval(meter.meter_id, 15 * task_id, 15));
        Move(task_id, MintState::kPending, state);
      }
    }
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    SCOPED_TRACE(domain::Name(states[i]));
    const auto first = static_cast<std::int64_t>(2 * i + 1);  // of meter a; that of b follows
    const auto second = first + static_cast<std::int64_t>(2 * states.size());
    EXPECT_THAT(Tasks("", "", states[i]), ElementsAre(first, first + 1, second, second + 1));
    EXPECT_THAT(Tasks("", "", states[i], first, 2), ElementsAre(first + 1, second));
    EXPECT_THAT(Tasks("a", "", states[i]), ElementsAre(first, second));
    EXPECT_THAT(Tasks("", "bob", states[i]), ElementsAre(first + 1, second + 1));
    EXPECT_THAT(Tasks("b", "bob", states[i], first + 1), ElementsAre(second + 1));
    EXPECT_THAT(Tasks("a", "bob", states[i]), IsEmpty());
  }
  EXPECT_THAT(Tasks("", "", std::nullopt, 25), ElementsAre(26, 27, 28));
  EXPECT_THAT(Tasks("a", "", std::nullopt, 20, 2), ElementsAre(21, 23));
  EXPECT_THAT(Tasks("", "", MintState::kNotApplicable), IsEmpty());
}

TEST_F(SqliteQueriesTest, DueTasksAreThosePendingWhoseTimeHasComeLongestDueFirst) {
  const domain::Meter meter = Register("m", "ada");
  for (int i = 0; i < 5; ++i) Store(meter, Interval("m", 15 * i, 15));
  const auto put_off = [&](std::int64_t task_id, std::int64_t minute, bool by_hand) {
    Change(task_id, MintState::kPending, [&](domain::MintTask& task) {
      task.next_attempt = AtMinute(minute);
      task.by_hand = by_hand;
    });
  };
  put_off(1, 100, false);
  put_off(2, 90, true);
  put_off(3, 101, true);
  put_off(4, 80, false);
  put_off(5, 85, true);
  Move(5, MintState::kPending, MintState::kSigned);
  EXPECT_THAT(Ids(queries().ListDueTasks(AtMinute(100), kAny, false)), ElementsAre(4, 2, 1));
  EXPECT_THAT(Ids(queries().ListDueTasks(AtMinute(100), 2, false)), ElementsAre(4, 2));
  EXPECT_THAT(Ids(queries().ListDueTasks(AtMinute(100), kAny, true)), ElementsAre(2));
  EXPECT_THAT(queries().FindNextDue(false), IsOkAndHolds(Optional(AtMinute(80))));
  EXPECT_THAT(queries().FindNextDue(true), IsOkAndHolds(Optional(AtMinute(85))))
      << "a task in work counts, whoever asked for it";
  EXPECT_THAT(Ids(queries().ListTasksInWork(AtMinute(85), kAny)), ElementsAre(5));
  EXPECT_THAT(Ids(queries().ListTasksInWork(AtMinute(84), kAny)), ElementsAre());
}

TEST_F(SqliteQueriesTest, NothingIsDueWhenNothingIsPending) {
  EXPECT_THAT(queries().FindNextDue(false), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(queries().ListDueTasks(AtMinute(0), kAny, false), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(queries().FindTask(1), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(SqliteQueriesTest, TasksInWorkAreThoseThatACrashCanLeave) {
  const domain::Meter meter = Register("m", "ada");
  const std::vector<MintState> states = {MintState::kPending,   MintState::kClaimed,
                                         MintState::kSigned,    MintState::kSubmitted,
                                         MintState::kConfirmed, MintState::kParked};
  for (std::size_t i = 0; i < states.size(); ++i) {
    const domain::ReadingId id = Store(meter, Interval("m", 15 * static_cast<std::int64_t>(i), 15));
    Move(id.row(), MintState::kPending, states[i]);
  }
  EXPECT_THAT(Ids(queries().ListTasksInWork(AtMinute(1'000), kAny)), ElementsAre(2, 3, 4));
  EXPECT_THAT(Ids(queries().ListTasksInWork(AtMinute(1'000), 2)), testing::SizeIs(2));
  EXPECT_THAT(queries().CountTasksInWork(), IsOkAndHolds(3));
  const store::TaskOverview overview = Value(queries().GetTaskOverview());
  EXPECT_THAT(Ids(overview.in_work), ElementsAre(2, 3, 4));
  EXPECT_EQ(overview.sums.open, 4);
  EXPECT_EQ(overview.sums.parked, 1);
}

TEST_F(SqliteQueriesTest, WhatIsSignedOnADayAddsUp) {
  EXPECT_THAT(queries().GetSignedEnergy(20'000), IsOkAndHolds(domain::Energy()));
  for (const std::int64_t nano_kwh : {5, 7}) {
    Write([&](auto& transaction) {
      Value(transaction.AddSignedEnergy(20'000, domain::Energy::FromNanoKwh(nano_kwh)));
    });
  }
  EXPECT_THAT(queries().GetSignedEnergy(20'000), IsOkAndHolds(domain::Energy::FromNanoKwh(12)));
  EXPECT_THAT(queries().GetSignedEnergy(20'001), IsOkAndHolds(domain::Energy()));
}

TEST_F(SqliteQueriesTest, ABatchHasTheTasksThatWereSignedInIt) {
  const domain::Meter ada = Register("m-ada", "ada");
  const domain::Meter bob = Register("m-bob", "bob");
  std::vector<std::int64_t> tasks;
  for (int i = 0; i < 6; ++i) {
    const domain::Meter& meter = i % 2 == 0 ? ada : bob;
    tasks.push_back(Store(meter, Interval(meter.meter_id, 15 * i, 15)).row());
  }
  const auto put = [this](std::int64_t task_id, MintState from, MintState to, std::string batch) {
    ASSERT_TRUE(Change(task_id, from, [&](domain::MintTask& task) {
      task.state = to;
      task.batch_id = batch;
    }));
  };
  for (const std::int64_t task_id : tasks) {
    put(task_id, MintState::kPending, MintState::kSigned, "batch-1");
  }
  put(tasks[1], MintState::kSigned, MintState::kConfirmed, "batch-1");
  put(tasks[2], MintState::kSigned, MintState::kPending, "");
  put(tasks[3], MintState::kSigned, MintState::kSubmitted, "batch-2");
  put(tasks[4], MintState::kSigned, MintState::kClaimed, "batch-1");
  Write([&](auto& transaction) {
    for (int i = 0; i < 3; ++i) Value(transaction.AppendEvent("e"));
  });

  const auto ids = [this](const std::string& batch_id, const std::string& user_id) {
    return Ids(Value(queries().GetBatch(batch_id, user_id)).tasks);
  };
  EXPECT_THAT(ids("batch-1", ""), ElementsAre(tasks[0], tasks[1], tasks[5]));
  EXPECT_THAT(ids("batch-1", "bob"), ElementsAre(tasks[1], tasks[5]));
  EXPECT_THAT(ids("batch-1", "eve"), IsEmpty());
  EXPECT_THAT(ids("batch-2", ""), ElementsAre(tasks[3]));
  EXPECT_THAT(ids("", ""), IsEmpty()) << "those of no batch are no batch";
  EXPECT_THAT(ids("batch-3", ""), IsEmpty());
  const store::BatchState batch = Value(queries().GetBatch("batch-1", ""));
  EXPECT_EQ(batch.sequence, 3);
  EXPECT_EQ(batch.tasks[1].state, MintState::kConfirmed);
}

TEST_F(SqliteQueriesTest, ABatchInAnEmptyLogStandsAtZero) {
  EXPECT_EQ(Value(queries().GetBatch("batch-1", "")).sequence, 0);
}

}  // namespace
}  // namespace wattmint::storage
