// SPDX-License-Identifier: Apache-2.0
#include "core/base/mutex.h"
#include "tests/storage/storage_fixture.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <set>

// What SQLite plans for the statements that storage really runs: every connection of this program
// is traced from the moment that it is opened.
namespace wattmint::storage {
namespace {

using domain::MintState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

base::Mutex mutex;  // guards `statements`
std::set<std::string>& Statements() WATTMINT_REQUIRES(mutex) {
  static auto& statements = *new std::set<std::string>();
  return statements;
}

int Remember(unsigned, void*, void* statement, void*) {
  base::MutexLock lock(mutex);
  Statements().insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
  return 0;
}

int TraceConnection(sqlite3* connection, char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, Remember, nullptr);
}

// Runs before the fixture opens its database.
struct Tracing {
  Tracing() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(TraceConnection)); }
  ~Tracing() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(TraceConnection)); }
};

class QueryPlanTest : Tracing, public StorageTest {
 protected:
  // The statements that `work` runs, and those that it prepares for every transaction.
  template <typename Work>
  std::vector<std::string> StatementsOf(Work work) {
    Clear();
    work();
    base::MutexLock lock(mutex);
    return {Statements().begin(), Statements().end()};
  }
  static void Clear() {
    base::MutexLock lock(mutex);
    Statements().clear();
  }
  std::vector<std::string> Plan(const std::string& sql) {
    SQLite::Database database(path());
    SQLite::Statement statement(database, "EXPLAIN QUERY PLAN " + sql);
    std::vector<std::string> plan;
    while (statement.executeStep()) plan.push_back(statement.getColumn(3).getString());
    return plan;
  }
  std::vector<std::string> PlanOfOnly(const std::string& part, const std::function<void()>& work) {
    for (const std::string& sql : StatementsOf(work)) {
      if (sql.find(part) != std::string::npos) return Plan(sql);
    }
    return {};
  }

  void CallEveryWrite() {
    const domain::Meter meter = Register("m", "ada");
    domain::Reading reading = Interval("m", 0, 15);
    reading.request_id = "r";
    const std::int64_t task_id = Store(meter, reading).row();
    Move(task_id, MintState::kPending, MintState::kParked);
    Store(meter, Interval("m", 15, 15), {MintState::kParked, "why"});
    const std::int64_t unminted =
        Store(meter, Interval("m", 30, 15), MintState::kNotApplicable).row();
    domain::Meter signing = meter;
    signing.public_key = "key";
    Store(signing, Interval("m", 45, 15));
    Write([&](auto& transaction) {
      Value(transaction.FindReading(meter.meter_ref, reading.start, reading.length));
      Value(transaction.FindLastStartingBefore(meter.meter_ref, reading.start));
      Value(transaction.HasPointBetween(meter.meter_ref, reading.start, reading.end()));
      Value(transaction.FindRequestId(meter.meter_ref, "r"));
      Value(transaction.FindLastEnd(meter.meter_ref));
      Value(transaction.FindStored(task_id));
      Value(transaction.CorrectReading(
          task_id, {0, domain::CorrectionKind::kCorrected, AtMinute(1), "root", "why",
                    reading.energy, reading.quality, reading.energy, reading.quality}));
      Value(transaction.FindLastCorrection(task_id));
      Value(transaction.InsertTask(unminted, MintState::kPending, AtMinute(1)));
      Value(transaction.RaisePeak(meter.meter_ref, {reading.start, 1}));
      Value(transaction.FindPeak(meter.meter_ref));
      Value(transaction.FindCounter(meter.meter_ref, "key"));
      Value(transaction.FindTask(task_id));
      Value(transaction.SetRemainder("m", Value(transaction.GetRemainder("m"))));
      Value(transaction.AddSignedEnergy(1, domain::Energy()));
      Value(transaction.UpdateMeter(meter));
      store::ApiKeyRecord key;
      Value(transaction.InsertApiKey(key));
      Value(transaction.UpdateApiKey(key));
      Value(transaction.SetKeyUse({}));
      Value(transaction.InsertAnnouncement({.request_id = "r"}));
      Value(transaction.FindAnnouncement("r"));
      Value(transaction.SetSwitch("s", "v"));
      Value(transaction.SetSwitch("s", ""));
      Value(transaction.AppendEvent("e"));
    });
  }
  void CallEveryQuery() {
    for (const std::string meter_id : {"", "m"}) {
      for (const std::string user_id : {"", "ada"}) {
        store::ReadingQuery query;
        query.meter_id = meter_id;
        query.user_id = user_id;
        Value(queries().ListReadings(query));
        Value(queries().SumReadings(meter_id, user_id));
        for (int state = 0; state <= 8; ++state) {
          store::TaskQuery tasks;
          tasks.meter_id = meter_id;
          tasks.user_id = user_id;
          if (state > 0) tasks.state = static_cast<MintState>(state);
          Value(queries().ListTasks(tasks));
        }
      }
    }
    Value(queries().FindReading({AtMinute(0), 0, 1}));
    Value(queries().ListCorrections(1));
    Value(queries().FindTask(1));
    for (const bool by_hand_only : {false, true}) {
      Value(queries().ListDueTasks(AtMinute(0), 1, by_hand_only));
      Value(queries().FindNextDue(by_hand_only));
    }
    Value(queries().ListTasksInWork(AtMinute(0), 1));
    Value(queries().CountTasksInWork());
    Value(queries().GetSignedEnergy(1));
    Value(queries().SumTasks());
    Value(queries().GetTaskOverview());
    Value(queries().GetBatch("b", "ada"));
    Value(queries().LoadMeters());
    Value(queries().LoadApiKeys());
    Value(queries().LoadKeyUses());
    Value(queries().GetSwitch("s"));
    Value(log().GetBounds());
    Value(log().Read(1, 1, 1));
  }
};

// Whether walking is meant: tables that stay small are read whole.
bool IsMeantToScan(const std::string& step) {
  for (const std::string_view meant :
       {"SCAN CONSTANT ROW", "SCAN log", "SCAN meters", "SCAN api_keys", "SCAN api_key_uses",
        "SCAN tenures", "SCAN n", "SCAN m USING COVERING INDEX", "SCAN (subquery"}) {
    if (step.rfind(meant, 0) == 0) return true;
  }
  return false;
}

TEST_F(QueryPlanTest, NothingThatRunsWalksATableThatGrows) {
  const auto statements = StatementsOf([&] {
    CallEveryWrite();
    CallEveryQuery();
  });
  EXPECT_GT(statements.size(), 60u);
  for (const std::string& sql : statements) {
    for (const std::string& step : Plan(sql)) {
      if (step.find("SCAN") != std::string::npos && !IsMeantToScan(step)) {
        ADD_FAILURE() << step << "\n  in " << sql;
      }
    }
  }
}

TEST_F(QueryPlanTest, DueTasksComeFromThePartialIndexInItsOrder) {
  for (const bool by_hand_only : {false, true}) {
    const std::string index = by_hand_only ? "mint_tasks_due_by_hand" : "mint_tasks_due";
    const std::string condition = by_hand_only ? " (state=? AND by_hand=? AND next_attempt<?)"
                                               : " (state=? AND next_attempt<?)";
    const auto plan = PlanOfOnly(
        "next_attempt <= ?", [&] { Value(queries().ListDueTasks(AtMinute(0), 1, by_hand_only)); });
    EXPECT_THAT(
        plan,
        ElementsAre("SEARCH t USING INDEX " + index + condition, HasSubstr("INTEGER PRIMARY KEY"),
                    HasSubstr("INTEGER PRIMARY KEY"), HasSubstr("INTEGER PRIMARY KEY")));
  }
}

TEST_F(QueryPlanTest, TasksInWorkComeFromTheirPartialIndex) {
  const auto plan =
      PlanOfOnly("mint_tasks", [&] { Value(queries().ListTasksInWork(AtMinute(0), 1)); });
  ASSERT_FALSE(plan.empty());
  EXPECT_THAT(plan[0], "SEARCH t USING INDEX mint_tasks_in_work (state>? AND state<?)");
}

TEST_F(QueryPlanTest, TasksOfABatchComeFromTheirPartialIndex) {
  const auto plan = PlanOfOnly("mint_tasks", [&] { Value(queries().GetBatch("b", "")); });
  ASSERT_FALSE(plan.empty());
  EXPECT_THAT(plan[0], "SEARCH t USING INDEX mint_tasks_by_batch (batch_id=?)");
}

TEST_F(QueryPlanTest, ReadingsOfAMeterComeFromTheCoveringIndex) {
  store::ReadingQuery query;
  query.meter_id = "m";
  const auto plan = PlanOfOnly("readings", [&] { Value(queries().ListReadings(query)); });
  EXPECT_THAT(plan, testing::Contains(StartsWith("SEARCH k USING COVERING INDEX readings_by_key")));
  EXPECT_THAT(plan, testing::Contains("SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"));
}

TEST_F(QueryPlanTest, OverlapIsAnsweredByOneLookIntoTheCoveringIndex) {
  const auto plan =
      PlanOfOnly("start < ?", [&] { Value(Begin()->FindLastStartingBefore(1, AtMinute(0))); });
  EXPECT_THAT(plan, ElementsAre("SEARCH readings USING COVERING INDEX readings_by_key"
                                " (meter_ref=? AND start<?)"));
}

}  // namespace
}  // namespace wattmint::storage
