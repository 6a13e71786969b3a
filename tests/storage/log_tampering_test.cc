// SPDX-License-Identifier: Apache-2.0
// What somebody changes in the log's file or the ledger's, past the program, is found by
// mint::VerifyLog().
#include "core/ledger/book_reader.h"
#include "core/mint/ratio_history.h"
#include "core/mint/verification.h"
#include "tests/support/engine.h"
#include "tests/support/spoiled_ledger.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

namespace wattmint::storage {
namespace {

using mint::Beside;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

// Five readings, of which the minter has done what the test lets it do.
class LogTamperingTest : public testing::Test {
 protected:
  LogTamperingTest() {
    Engine::Check(mint::RecordRatio(engine_.queue(), engine_.queries(), domain::Ratio()));
    engine_.Register("M1", "alice");
    std::vector<domain::Reading> readings;
    for (int i = 5; i > 0; --i) readings.push_back(engine_.Hour("M1", i, "1.5"));
    engine_.Submit(readings);
  }
  std::string Path(const std::string& file) const { return (engine_.dir() / file).string(); }

  // As the command does, on the files alone.
  absl::StatusOr<mint::Reconciliation> Verify(Beside beside = Beside::kNobody) {
    Database::Options options;
    options.connection.path = Path("wattmint.db");
    const auto database = Database::OpenToRead(options);
    if (!database.ok()) return database.status();
    const auto book = SqliteLedgerBook::OpenToRead({.path = Path("ledger.db")});
    if (!book.ok()) return book.status();
    ledger::BookReader ledger(**book);
    return mint::VerifyLog((*database)->queries(), ledger, beside);
  }
  void Execute(const std::string& file, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(Path(file).c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error ? error : "");
    sqlite3_free(error);
    sqlite3_close(database);
  }
  void Save() {
    for (const std::string file : {"wattmint.db", "ledger.db"}) {
      Execute(file, "PRAGMA wal_checkpoint(TRUNCATE); VACUUM INTO '" + Path(file + ".saved") + "'");
    }
  }
  void Restore() {
    for (const std::string file : {"wattmint.db", "ledger.db"}) {
      for (const char* suffix : {"", "-wal", "-shm"}) {
        std::filesystem::remove(Path(file + suffix));
      }
      std::filesystem::copy_file(Path(file + ".saved"), Path(file));
    }
  }

  Engine engine_;
};

struct Tampering {
  std::string file;
  std::string sql;
  std::string sentence;  // a part of what is said
};

TEST_F(LogTamperingTest, TheFirstThingThatIsWrongIsNamed) {
  engine_.MintAll();
  engine_.Close();
  Save();
  ASSERT_THAT(Verify(), IsOk());
  const std::vector<Tampering> tamperings = {
      {"wattmint.db", "UPDATE mint_tasks SET tokens = tokens + 1 WHERE task_id = 3", "DIFFERENT"},
      {"wattmint.db", "UPDATE mint_tasks SET wallet_address = 'thief' WHERE task_id = 3",
       "task 3 is CONFIRMED with 1.5 GRX, the ledger has 1.5 GRX at height 3"},
      {"wattmint.db", "UPDATE mint_tasks SET transaction_signature = 'x' WHERE task_id = 3",
       "DIFFERENT"},
      {"wattmint.db", "UPDATE mint_tasks SET state = 6 WHERE task_id = 3",
       "task 3 is PARKED with 1.5 GRX, the ledger has 1.5 GRX at height 3"},
      {"wattmint.db", "DELETE FROM mint_tasks WHERE task_id = 3", "the log has no such reading"},
      {"wattmint.db", "UPDATE readings SET energy = energy + 1 WHERE row = 3", "NOT_BY_ENERGY"},
      {"wattmint.db", "UPDATE readings SET accept_time = accept_time + 1000000 WHERE row = 3",
       "the ledger has no such mint (and 1 more)"},
      {"wattmint.db", "UPDATE log SET salt = (salt + 1) % 4096",
       "the ledger has no such mint (and 9 more)"},
      {"wattmint.db", "DELETE FROM log", "has lost its identity"},
      {"wattmint.db", "UPDATE tenures SET confirmed_tokens = confirmed_tokens + 1",
       "the log's sums say that 5 tasks were confirmed, 7.500000001 GRX for 7.5 kWh, but its tasks "
       "say 5, 7.5 GRX for 7.5 kWh"},
      {"wattmint.db", "UPDATE tenures SET confirmed_energy = confirmed_energy - 1", "sums"},
      {"wattmint.db", "UPDATE tenures SET confirmed = 4", "sums"},
      {"wattmint.db", "UPDATE switches SET value = '2' WHERE name = 'token_ratios'",
       "NOT_BY_ENERGY"},
      {"wattmint.db", "UPDATE switches SET value = '1/' WHERE name = 'token_ratios'",
       "switch token_ratios holds"},
      {"ledger.db", "DELETE FROM entries WHERE height = 5",
       "task 5 is CONFIRMED with 1.5 GRX, the ledger has no such mint"},
      {"ledger.db", "DELETE FROM meta", "the ledger has lost its identity"},
      {"ledger.db", "UPDATE entries SET supply = supply + 1 WHERE height = 5",
       "the ledger says that its supply is 7.500000001 GRX in 5 mints, but has 7.5 in 5"},
  };
  for (const Tampering& tampering : tamperings) {
    Execute(tampering.file, tampering.sql);
    EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(tampering.sentence)))
        << tampering.sql;
    Restore();
  }
  ASSERT_THAT(Verify(), IsOk());
}

// With the ledger's own key, so that only the log can tell.
TEST_F(LogTamperingTest, AMintThatNoReadingAskedForIsNamed) {
  engine_.MintAll();
  const std::vector<ledger::MintOrder> orders = {
      {"whatever", test::WalletOf("thief"), domain::TokenAmount::FromBaseUnits(7)}};
  const auto mint = Engine::Value(engine_.ledger().Sign(orders).front());
  ASSERT_THAT(engine_.ledger().Submit(std::vector{mint}).front(), IsOk());
  engine_.Close();
  EXPECT_THAT(Verify(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("UNKNOWN_TO_LOG of whatever: the log has no such "
                                           "reading, the ledger has 0.000000007 GRX at height 6")));
}

TEST_F(LogTamperingTest, WhatACrashLeftInWorkIsRight) {
  test::Spoiler spoiler(engine_.ledger());
  spoiler.loses_answers = true;
  engine_.UseLedger(spoiler);
  static_cast<void>(engine_.minter().WorkOnce());
  engine_.Close();
  const auto found = Verify();
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->in_work.ToString(), "7.5");
  EXPECT_EQ(found->tasks_checked, 0);
}

TEST_F(LogTamperingTest, BesideARunningCoreSumsAreNotCompared) {
  engine_.MintAll();
  Execute("wattmint.db", "UPDATE tenures SET confirmed = 4");
  EXPECT_THAT(Verify(Beside::kRunningCore), IsOk());
  Execute("wattmint.db", "UPDATE mint_tasks SET state = 6 WHERE task_id = 3");
  EXPECT_THAT(Verify(Beside::kRunningCore), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LogTamperingTest, LookingChangesNothing) {
  engine_.MintAll();
  engine_.Close();
  const auto read = SqliteLedgerBook::OpenToRead({.path = Path("ledger.db")});
  ASSERT_THAT(read, IsOk());
  const store::LedgerHead head = Engine::Value((*read)->GetHead());
  store::LedgerEntry entry;
  entry.height = head.height + 1;
  entry.previous_hash = head.hash;
  EXPECT_THAT((*read)->Append(std::vector{entry}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Engine::Value((*read)->GetHead()).height, head.height);
}

}  // namespace
}  // namespace wattmint::storage
