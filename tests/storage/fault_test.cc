// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/faulty_vfs.h"
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

#include <filesystem>

// What is left when a disk fails in the middle of something.
namespace wattmint::storage {
namespace {

using domain::MintState;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::IsEmpty;
using testing::SizeIs;

class FaultTest : public StorageTest {
 protected:
  FaultTest() {
    options_.connection.vfs = vfs_.name();
    Open();
  }
  ~FaultTest() override { database_.reset(); }

  // Ten readings, each with an event; the first failure, if any.
  absl::Status StoreTen(const domain::Meter& meter, std::int64_t first) {
    auto transaction = journal().Begin();
    if (!transaction.ok()) return transaction.status();
    for (std::int64_t i = first; i < first + 10; ++i) {
      const auto id = (*transaction)
                          ->InsertReading(meter, Interval(meter.meter_id, 15 * i, 15),
                                          MintState::kPending, AtMinute(0));
      if (!id.ok()) return id.status();
      const auto sequence = (*transaction)->AppendEvent(std::string(300, 'e'));
      if (!sequence.ok()) return sequence.status();
    }
    const absl::Status status = (*transaction)->Commit();
    EXPECT_EQ((*transaction)->IsBroken(), !status.ok());
    return status;
  }
  std::int64_t CountReadings() {
    store::ReadingQuery all;
    all.count_max = 100'000;
    return static_cast<std::int64_t>(Value(queries().ListReadings(all)).size());
  }

  FaultyVfs vfs_{"faulty"};
};

// Every write and sync of a transaction fails once, with each kind of error; afterwards all of the
// transaction is there or nothing.
TEST_F(FaultTest, TransactionIsWholeOrNotThereWhereverTheDiskFails) {
  const domain::Meter meter = Register("m", "ada");
  std::int64_t stored = 0;
  int failures = 0;
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_FULL}) {
    bool failed = true;
    for (std::int64_t countdown = 0; failed; ++countdown) {
      vfs_.FailAfter(countdown, code);
      const absl::Status status = StoreTen(meter, stored);
      failed = vfs_.HasFailed();
      vfs_.Mend();
      if (!status.ok()) {
        ++failures;
        EXPECT_THAT(status, StatusIs(code == SQLITE_FULL ? absl::StatusCode::kResourceExhausted
                                                         : absl::StatusCode::kUnavailable));
        EXPECT_THAT(journal().Begin(), StatusIs(absl::StatusCode::kUnavailable));
        ASSERT_THAT(journal().Reopen(), IsOk());
      }
      const std::int64_t count = CountReadings();
      ASSERT_TRUE(count == stored + 10 || (count == stored && !status.ok()))
          << "had " << stored << ", has " << count << " after " << status;
      ASSERT_EQ(Value(log().GetBounds()).last, count);
      ASSERT_EQ(Value(queries().SumTasks()).open, count);
      stored = count;
    }
  }
  EXPECT_GE(failures, 6);
}

TEST_F(FaultTest, OpeningFailsWhileTheDiskDoesAndWorksAfterwards) {
  database_.reset();
  options_.connection.path = (dir_ / "new.db").string();
  bool failed = true;
  for (std::int64_t countdown = 0; failed; ++countdown) {
    vfs_.FailAfter(countdown, SQLITE_IOERR_WRITE);
    const auto opened = Database::Open(options_);
    failed = !opened.ok();
    if (failed) {
      EXPECT_THAT(opened, StatusIs(absl::StatusCode::kUnavailable));
    }
  }
  vfs_.Mend();
  EXPECT_THAT(Database::Open(options_), IsOk());
}

TEST_F(FaultTest, ReopenThatFailsRefusesEverybodyUntilOneWorks) {
  const domain::Meter meter = Register("m", "ada");
  const std::filesystem::path away = dir_ / "away";
  database_.reset();
  std::filesystem::create_directory(dir_ / "here");
  options_.connection.path = (dir_ / "here" / "wattmint.db").string();
  database_ = Value(Database::Open(options_));
  std::filesystem::rename(dir_ / "here", away);
  EXPECT_THAT(journal().Reopen(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(journal().Begin(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(log().GetBounds(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(queries().SumTasks(), StatusIs(absl::StatusCode::kUnavailable));
  std::filesystem::rename(away, dir_ / "here");
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_THAT(journal().Begin(), IsOk());
  EXPECT_THAT(queries().SumTasks(), IsOk());
}

TEST_F(FaultTest, FullQuotaBreaksTheTransactionAndSmallerOnesGoOn) {
  options_.connection.pages_max = 60;
  Open();
  const domain::Meter meter = Register("m", "ada");
  auto transaction = Begin();
  absl::Status status;
  while (status.ok()) status = transaction->AppendEvent(std::string(4'000, 'e')).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(transaction->IsBroken());
  transaction.reset();
  ASSERT_THAT(journal().Reopen(), IsOk());
  EXPECT_EQ(Value(log().GetBounds()).last, 0);
  EXPECT_THAT(StoreTen(meter, 0), IsOk());
}

// The files as they lie there while a transaction runs are what a crash leaves.
TEST_F(FaultTest, CrashLosesTheOpenTransactionAndNothingThatWasCommitted) {
  const domain::Meter meter = Register("m", "ada");
  ASSERT_THAT(StoreTen(meter, 0), IsOk());
  const auto transaction = Begin();
  for (int i = 0; i < 1'000; ++i) Value(transaction->AppendEvent(std::string(4'000, 'e')));
  const std::filesystem::path after = dir_ / "after";
  std::filesystem::create_directory(after);
  for (const char* name : {"wattmint.db", "wattmint.db-wal"}) {
    std::filesystem::copy_file(dir_ / name, after / name);
  }
  Database::Options options = options_;
  options.connection.path = (after / "wattmint.db").string();
  const auto recovered = Value(Database::Open(options));
  EXPECT_EQ(Value(recovered->event_log().GetBounds()).last, 10);
  EXPECT_EQ(Value(recovered->queries().SumTasks()).open, 10);
}

}  // namespace
}  // namespace wattmint::storage
