// SPDX-License-Identifier: Apache-2.0
#include "core/base/uuid.h"
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

namespace wattmint::storage {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::IsEmpty;
using testing::SizeIs;

class SqliteEventLogTest : public StorageTest {
 protected:
  void Append(std::vector<std::string> payloads) {
    Write([&](auto& transaction) {
      for (const std::string& payload : payloads) Value(transaction.AppendEvent(payload));
    });
  }
  // Removes the events before `sequence`, as a compaction would.
  void CompactBefore(int sequence) {
    SQLite::Database database(path(), SQLite::OPEN_READWRITE);
    database.exec("DELETE FROM events WHERE sequence < " + std::to_string(sequence));
  }
};

TEST_F(SqliteEventLogTest, EmptyLogBeginsAtOne) {
  const store::LogBounds bounds = Value(log().GetBounds());
  EXPECT_EQ(bounds.first, 1);
  EXPECT_EQ(bounds.last, 0);
  EXPECT_THAT(log().Read(1, 10, 1'000), IsOkAndHolds(IsEmpty()));
}

TEST_F(SqliteEventLogTest, EpochIsAUuidThatSurvivesReopeningAndIsNotThatOfAnotherDatabase) {
  const std::string epoch = Value(log().GetBounds()).epoch;
  EXPECT_THAT(base::Uuid::Parse(epoch), IsOk());
  Open();
  EXPECT_EQ(Value(log().GetBounds()).epoch, epoch);
  options_.connection.path = (dir_ / "other.db").string();
  const auto other = Value(Database::Open(options_));
  EXPECT_NE(Value(other->event_log().GetBounds()).epoch, epoch);
}

TEST_F(SqliteEventLogTest, ReadsFromTheGivenSequenceInOrderUpToTheCount) {
  Append({"a", std::string("\0b", 2), "", "d"});
  const auto events = Value(log().Read(2, 2, 1'000));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].sequence, 2);
  EXPECT_EQ(events[0].payload, std::string("\0b", 2));
  EXPECT_EQ(events[1].sequence, 3);
  EXPECT_EQ(events[1].payload, "");
  EXPECT_EQ(Value(log().GetBounds()).last, 4);
  EXPECT_THAT(log().Read(5, 10, 1'000), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(log().Read(0, 10, 1'000), IsOkAndHolds(SizeIs(4)));
}

TEST_F(SqliteEventLogTest, ReadsNotMoreBytesThanAskedButAtLeastOneEvent) {
  Append({"aaaa", "bbbb", "cccc"});
  EXPECT_THAT(log().Read(1, 10, 8), IsOkAndHolds(SizeIs(2)));
  EXPECT_THAT(log().Read(1, 10, 7), IsOkAndHolds(SizeIs(1)));
  EXPECT_THAT(log().Read(1, 10, 1), IsOkAndHolds(SizeIs(1)));
}

TEST_F(SqliteEventLogTest, ShowsNothingThatIsNotCommitted) {
  const auto transaction = Begin();
  Value(transaction->AppendEvent("a"));
  EXPECT_EQ(Value(log().GetBounds()).last, 0);
  EXPECT_THAT(log().Read(1, 10, 1'000), IsOkAndHolds(IsEmpty()));
  Value(transaction->Commit());
  EXPECT_THAT(log().Read(1, 10, 1'000), IsOkAndHolds(SizeIs(1)));
}

TEST_F(SqliteEventLogTest, CompactedEventsAreOutOfRange) {
  Append({"a", "b", "c"});
  CompactBefore(3);
  EXPECT_EQ(Value(log().GetBounds()).first, 3);
  EXPECT_THAT(log().Read(2, 10, 1'000),
              StatusIs(absl::StatusCode::kOutOfRange, testing::HasSubstr("oldest is 3")));
  EXPECT_THAT(log().Read(3, 10, 1'000), IsOkAndHolds(SizeIs(1)));
  Write([](auto& transaction) { EXPECT_THAT(transaction.AppendEvent("d"), IsOkAndHolds(4)); });
}

}  // namespace
}  // namespace wattmint::storage
