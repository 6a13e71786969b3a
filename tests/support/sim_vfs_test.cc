// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_vfs.h"

#include "storage/database.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

// The production classes of storage on simulated disks.
namespace wattmint::test {
namespace {

using storage::Database;

// A machine with one disk and wattmint.db on it.
struct Machine {
  explicit Machine(const std::string& name) : disk(1), vfs(name, disk) {
    options.connection.path = "wattmint.db";
    options.connection.vfs = name;
  }
  absl::Status Open() {
    database.reset();
    auto opened = Database::Open(options);
    if (!opened.ok()) return opened.status();
    database = *std::move(opened);
    return absl::OkStatus();
  }
  absl::Status Append(int events) {
    auto transaction = database->journal().Begin();
    if (!transaction.ok()) return transaction.status();
    for (int i = 0; i < events; ++i) {
      const auto sequence = (*transaction)->AppendEvent(std::string(1'000, 'e'));
      if (!sequence.ok()) return sequence.status();
    }
    return (*transaction)->Commit();
  }
  std::int64_t Last() {
    const auto bounds = database->event_log().GetBounds();
    return bounds.ok() ? bounds->last : -1;
  }
  void LosePower() {
    disk.Cut();
    database.reset();
    disk.PowerUp();
  }

  SimDisk disk;
  SimVfs vfs;
  Database::Options options;
  std::unique_ptr<Database> database;
};

TEST(SimVfsTest, HoldsADatabaseWithWriterAndReaders) {
  Machine machine("sim");
  ASSERT_THAT(machine.Open(), IsOk());
  ASSERT_THAT(machine.Append(10), IsOk());
  EXPECT_EQ(machine.Last(), 10);
  ASSERT_THAT(machine.Open(), IsOk());
  EXPECT_EQ(machine.Last(), 10);
}

TEST(SimVfsTest, KeepsTheLogBesideTheFileUntilTheLastConnectionLeaves) {
  Machine machine("sim");
  ASSERT_THAT(machine.Open(), IsOk());
  ASSERT_THAT(machine.Append(10), IsOk());
  {
    auto other = Database::Open(machine.options);
    ASSERT_THAT(other, IsOk());
    EXPECT_EQ((*other)->event_log().GetBounds()->last, 10);
  }
  EXPECT_GT(machine.disk.SizeOf("wattmint.db-wal"), 0);
  ASSERT_THAT(machine.Append(10), IsOk());
  EXPECT_EQ(machine.Last(), 20);
  machine.database.reset();
  EXPECT_FALSE(machine.disk.Exists("wattmint.db-wal"));
}

TEST(SimVfsTest, LetsOnlyOneWriterIn) {
  Machine machine("sim");
  ASSERT_THAT(machine.Open(), IsOk());
  auto other = Database::Open(machine.options);
  ASSERT_THAT(other, IsOk());
  {
    const auto open = machine.database->journal().Begin();
    ASSERT_THAT(open, IsOk());
    EXPECT_THAT((*other)->journal().Begin(), StatusIs(absl::StatusCode::kUnavailable));
  }
  ASSERT_THAT((*other)->journal().Reopen(), IsOk());
  EXPECT_THAT((*other)->journal().Begin(), IsOk());
}

TEST(SimVfsTest, KeepsWhatWasCommittedWhenThePowerGoes) {
  Machine machine("sim");
  machine.options.connection.checkpoint_pages = 8;
  ASSERT_THAT(machine.Open(), IsOk());
  for (int round = 1; round <= 50; ++round) {
    ASSERT_THAT(machine.Append(3), IsOk());
    machine.LosePower();
    ASSERT_THAT(machine.Open(), IsOk());
    ASSERT_EQ(machine.Last(), 3 * round);
  }
  EXPECT_EQ(machine.disk.power_cuts(), 50);
}

TEST(SimVfsTest, TellsProductionWhatFailed) {
  Machine machine("sim");
  ASSERT_THAT(machine.Open(), IsOk());
  machine.disk.faults().sync_errors_ppm = 1'000'000;
  EXPECT_THAT(machine.Append(1), StatusIs(absl::StatusCode::kUnavailable));
  machine.disk.faults() = {};
  ASSERT_THAT(machine.database->journal().Reopen(), IsOk());
  machine.disk.faults().bytes_max = 0;
  EXPECT_THAT(machine.Append(1), StatusIs(absl::StatusCode::kResourceExhausted));
  machine.disk.faults() = {};
  ASSERT_THAT(machine.database->journal().Reopen(), IsOk());
  EXPECT_THAT(machine.Append(1), IsOk());
}

TEST(SimVfsTest, SeveralDisksLosePowerApart) {
  Machine first("sim-1");
  Machine second("sim-2");
  ASSERT_THAT(first.Open(), IsOk());
  ASSERT_THAT(second.Open(), IsOk());
  storage::ConnectionOptions ledger;
  ledger.path = "ledger.db";
  ledger.vfs = second.vfs.name();
  auto book = storage::SqliteLedgerBook::Open(ledger);
  ASSERT_THAT(book, IsOk());
  first.disk.CutAfter(1);
  EXPECT_FALSE(first.Append(1).ok());
  EXPECT_THAT(second.Append(1), IsOk());
  first.LosePower();
  EXPECT_THAT(first.Open(), IsOk());
  EXPECT_EQ(second.Last(), 1);
  EXPECT_TRUE(second.disk.Exists("ledger.db"));
  EXPECT_FALSE(first.disk.Exists("ledger.db"));
}

}  // namespace
}  // namespace wattmint::test
