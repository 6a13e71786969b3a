// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include "storage/migrations.h"
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <span>

namespace wattmint::storage {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::AllOf;
using testing::HasSubstr;

class DatabaseTest : public StorageTest {
 protected:
  // Runs `sql` on the closed database as somebody else would.
  void Tamper(const std::string& sql) {
    database_.reset();
    SQLite::Database database(path(), SQLite::OPEN_READWRITE);
    database.exec(sql);
  }
  void Overwrite(std::streamoff offset, std::size_t size) {
    database_.reset();
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(size, '\x5a');
  }
  auto TryOpen() { return Database::Open(options_); }
};

TEST_F(DatabaseTest, WritesDurablyInWalMode) {
  const auto connection = Value(Connection::Open(options_.connection, Access::kWrite));
  const auto pragma = [&](const std::string& name) {
    return connection->database().execAndGet("PRAGMA " + name).getString();
  };
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("synchronous"), "2");
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_EQ(pragma("wal_autocheckpoint"), "4096");
  EXPECT_EQ(pragma("integrity_check"), "ok");
}

TEST_F(DatabaseTest, AllTablesAreStrict) {
  SQLite::Database database(path());
  SQLite::Statement tables(database,
                           "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
                           " AND name NOT LIKE 'sqlite_%'");
  int count = 0;
  while (tables.executeStep()) {
    ++count;
    EXPECT_EQ(tables.getColumn(1).getInt(), 1) << tables.getColumn(0).getString();
  }
  EXPECT_EQ(count, 15);
}

TEST_F(DatabaseTest, CleanEndFoldsTheLogIntoTheFile) {
  Register("m", "ada");
  database_.reset();
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
}

TEST_F(DatabaseTest, NewerDatabaseIsRefusedWithASentence) {
  Tamper("PRAGMA user_version = 99");
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr("schema version 99"), HasSubstr("newer"))));
}

TEST_F(DatabaseTest, FileOfAnotherKindIsRefused) {
  Tamper("PRAGMA application_id = 7");
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("kind")));
}

TEST_F(DatabaseTest, FileThatIsNoDatabaseIsDataLoss) {
  Overwrite(0, 8'192);
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(DatabaseTest, CorruptPageIsDataLossWhereItIsRead) {
  Write([](auto& transaction) {
    for (int i = 0; i < 1'000; ++i) Value(transaction.AppendEvent(std::string(1'000, 'e')));
  });
  database_.reset();
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path()));
  Overwrite(size / 2, 4'096 * 20);
  database_ = Value(TryOpen());
  EXPECT_THAT(log().Read(1, 1'000, 10'000'000), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(DatabaseTest, MissingDirectoryIsUnavailable) {
  options_.connection.path = (dir_ / "missing" / "wattmint.db").string();
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("missing")));
}

TEST_F(DatabaseTest, DirectoryInPlaceOfTheFileIsUnavailable) {
  options_.connection.path = dir_.path().string();
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DatabaseTest, UnknownVfsIsAnError) {
  options_.connection.vfs = "no such thing";
  EXPECT_FALSE(TryOpen().ok());
}

TEST_F(DatabaseTest, SecondWriterIsToldThatTheDatabaseIsBusy) {
  options_.connection.busy_ms = 1;
  const auto second = Value(TryOpen());
  const auto transaction = Begin();
  EXPECT_THAT(second->journal().Begin(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DatabaseTest, IsOpenedBesideSomebodyWhoReadsItsLog) {
  options_.connection.busy_ms = 1;
  Register("m", "ada");
  SQLite::Database reader(path());
  reader.exec("BEGIN");
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM meters").getInt(), 1);
  Open();
  Register("n", "ada");
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM meters").getInt(), 1);
  EXPECT_THAT(Value(queries().LoadMeters()), testing::SizeIs(2));
}

TEST_F(DatabaseTest, IsOpenedToReadBesideItsWriter) {
  Register("m", "ada");
  const auto reader = Value(Database::OpenToRead(options_));
  EXPECT_THAT(Value(reader->queries().LoadMeters()), testing::SizeIs(1));
  Register("n", "ada");
  EXPECT_THAT(Value(reader->queries().LoadMeters()), testing::SizeIs(2));
}

// What a core that was killed left in the log counts, and stays.
TEST_F(DatabaseTest, IsOpenedToReadAfterACrash) {
  Register("m", "ada");
  const std::string crashed = (dir_ / "crashed.db").string();
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(path() + suffix, crashed + suffix);
  }
  options_.connection.path = crashed;
  const auto size = std::filesystem::file_size(crashed);
  EXPECT_THAT(Value(Value(Database::OpenToRead(options_))->queries().LoadMeters()),
              testing::SizeIs(1));
  EXPECT_EQ(std::filesystem::file_size(crashed), size);
  EXPECT_GT(std::filesystem::file_size(crashed + "-wal"), 0u);
}

TEST_F(DatabaseTest, WhatIsNotUpToDateIsNotOpenedToRead) {
  const auto open = [this] { return Database::OpenToRead(options_); };
  Tamper("PRAGMA user_version = 1");
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("start a core")));
  Tamper("PRAGMA user_version = 99");
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newer")));
  Tamper("PRAGMA application_id = 7");
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("kind")));
  options_.connection.path = (dir_ / "none.db").string();
  EXPECT_THAT(open(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(std::filesystem::exists(options_.connection.path));
}

TEST_F(DatabaseTest, InterruptedMigrationLeavesNothingBehind) {
  const char* const scripts[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE b (x)"};
  ConnectionOptions options;
  options.path = (dir_ / "other.db").string();
  const auto connection = Value(Connection::Open(options, Access::kWrite));
  EXPECT_THAT(Migrate(*connection, {1, scripts}), StatusIs(absl::StatusCode::kInternal));
  const auto count = [&](const std::string& table) {
    return connection->database()
        .execAndGet("SELECT count(*) FROM sqlite_schema WHERE name = '" + table + "'")
        .getInt();
  };
  EXPECT_EQ(count("a"), 1);
  EXPECT_EQ(count("b"), 0);
  EXPECT_EQ(connection->database().execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_THAT(Migrate(*connection, {1, std::span(scripts).first(1)}), IsOk());
}

}  // namespace
}  // namespace wattmint::storage
