// SPDX-License-Identifier: Apache-2.0
// What somebody changes in the ledger's file, past the program, is found by ledger::VerifyBook().
#include "core/ledger/book_verification.h"
#include "core/ledger/embedded_ledger.h"
#include "core/ledger/key_signer.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wattmint::storage {
namespace {

using test::Engine;
using test::IsOk;
using test::StatusIs;

class LedgerTamperingTest : public testing::Test {
 protected:
  LedgerTamperingTest() { Open(); }

  void Open() {
    ledger_.reset();
    book_.reset();
    book_ = Engine::Value(SqliteLedgerBook::Open({.path = path()}));
    ledger_ = std::make_unique<ledger::EmbeddedLedger>(*book_, clock_, signer_);
  }
  std::string path() const { return (dir_ / "ledger.db").string(); }
  absl::StatusOr<ledger::Receipt> Mint(const std::string& key, std::int64_t base_units) {
    const ledger::MintOrder order{key, test::WalletOf("w"),
                                  domain::TokenAmount::FromBaseUnits(base_units)};
    const auto mint = Engine::Value(ledger_->Sign(std::vector{order}).front());
    return ledger_->Submit(std::vector{mint}).front();
  }
  absl::StatusOr<ledger::Supply> Verify(const std::string& key) {
    return ledger::VerifyBook(*book_, key, [](std::int64_t) {});
  }
  // Somebody writes into the file, past the program.
  void Tamper(const std::string& sql) {
    ledger_.reset();
    book_.reset();
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &file), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error ? error : "");
    sqlite3_free(error);
    sqlite3_close(file);
    Open();
  }

  test::TempDir dir_;
  test::FakeClock clock_;
  ledger::KeySigner signer_{ledger::Ed25519Seed{7}};
  std::unique_ptr<SqliteLedgerBook> book_;
  std::unique_ptr<ledger::EmbeddedLedger> ledger_;
};

TEST_F(LedgerTamperingTest, EveryTamperingIsFound) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Mint("k" + std::to_string(i), 10 + i), IsOk());
  const std::string key = ledger_->public_key();
  ASSERT_THAT(Verify(key), IsOk());
  const std::string backup = (dir_ / "backup.db").string();
  Tamper("PRAGMA wal_checkpoint(TRUNCATE); VACUUM INTO '" + backup + "'");
  for (const std::string sql :
       {"UPDATE entries SET tokens = tokens + 1 WHERE height = 3",
        "UPDATE entries SET supply = supply + 1 WHERE height = 5",
        "UPDATE entries SET signature = zeroblob(64) WHERE height = 3",
        "UPDATE entries SET hash = zeroblob(32) WHERE height = 3",
        "UPDATE entries SET time = time + 1 WHERE height = 3",
        "DELETE FROM entries WHERE height = 3", "DELETE FROM entries WHERE height = 1",
        "DELETE FROM entries WHERE height = 5", "UPDATE wallets SET balance = balance + 1",
        "UPDATE wallets SET balance = balance - 1", "DELETE FROM wallets",
        "INSERT INTO wallets (wallet_address, balance) VALUES ('thief', 1)"}) {
    Tamper(sql);
    EXPECT_THAT(Verify(key), StatusIs(absl::StatusCode::kDataLoss)) << sql;
    ledger_.reset();
    book_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    std::filesystem::copy_file(backup, path());
    Open();
    ASSERT_THAT(Verify(key), IsOk());
  }
}

// Appends an entry whenever it is asked for its head, as a core beside it may.
class GrowingBook final : public store::LedgerBook {
 public:
  GrowingBook(store::LedgerBook& book, std::function<void()> grow)
      : book_(book), grow_(std::move(grow)) {}
  std::string ledger_id() const override { return book_.ledger_id(); }
  absl::StatusOr<store::LedgerHead> GetHead() override {
    auto head = book_.GetHead();
    grow_();
    return head;
  }
  absl::StatusOr<std::optional<store::LedgerEntry>> Find(std::string_view key) override {
    return book_.Find(key);
  }
  absl::Status Append(std::span<const store::LedgerEntry> entries) override {
    return book_.Append(entries);
  }
  absl::StatusOr<std::vector<store::LedgerEntry>> Read(std::int64_t from,
                                                       std::size_t count_max) override {
    return book_.Read(from, count_max);
  }
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet) override {
    return book_.GetBalance(wallet);
  }
  absl::StatusOr<domain::TokenAmount> SumBalances() override { return book_.SumBalances(); }

 private:
  store::LedgerBook& book_;
  const std::function<void()> grow_;
};

TEST_F(LedgerTamperingTest, WhatIsAppendedMeanwhileIsNoTampering) {
  ASSERT_THAT(Mint("first", 10), IsOk());
  int appended = 0;
  GrowingBook book(*book_, [&] { EXPECT_THAT(Mint(std::to_string(++appended), 1), IsOk()); });
  const auto supply = ledger::VerifyBook(book, ledger_->public_key(), [](std::int64_t) {});
  ASSERT_THAT(supply, IsOk());
  EXPECT_EQ(supply->mints, 1);
  EXPECT_EQ(supply->tokens.base_units(), 10);
  EXPECT_EQ(appended, 3);
}

}  // namespace
}  // namespace wattmint::storage
