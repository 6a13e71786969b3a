// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_ledger_book.h"

#include "core/base/uuid.h"
#include "storage/database.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace wattmint::storage {
namespace {

using domain::TokenAmount;
using store::LedgerEntry;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::IsEmpty;
using testing::SizeIs;

store::Hash HashOf(std::int64_t height) {
  store::Hash hash{};
  hash[0] = static_cast<std::uint8_t>(height);
  return hash;
}

LedgerEntry Entry(std::int64_t height, std::string wallet, std::int64_t tokens) {
  LedgerEntry entry;
  entry.height = height;
  entry.idempotency_key = fmt::format("key-{}", height);
  entry.wallet_address = std::move(wallet);
  entry.tokens = TokenAmount::FromBaseUnits(tokens);
  entry.signed_bytes = std::string("signed\0", 7);
  entry.signature.fill(static_cast<std::uint8_t>(height));
  entry.time = domain::Time(domain::Duration(height));
  if (height > 1) entry.previous_hash = HashOf(height - 1);
  entry.hash = HashOf(height);
  return entry;
}

class SqliteLedgerBookTest : public testing::Test {
 protected:
  SqliteLedgerBookTest() { Open(); }
  void Open() {
    book_.reset();
    auto opened = SqliteLedgerBook::Open(options_);
    ASSERT_THAT(opened, IsOk());
    book_ = *std::move(opened);
  }
  absl::Status Append(const std::vector<LedgerEntry>& entries) { return book_->Append(entries); }

  test::TempDir dir_;
  ConnectionOptions options_{.path = (dir_ / "ledger.db").string(), .vfs = "", .pages_max = 0};
  std::unique_ptr<SqliteLedgerBook> book_;
};

void ExpectSame(const LedgerEntry& left, const LedgerEntry& right) {
  EXPECT_EQ(left.height, right.height);
  EXPECT_EQ(left.idempotency_key, right.idempotency_key);
  EXPECT_EQ(left.wallet_address, right.wallet_address);
  EXPECT_EQ(left.tokens, right.tokens);
  EXPECT_EQ(left.signed_bytes, right.signed_bytes);
  EXPECT_EQ(left.signature, right.signature);
  EXPECT_EQ(left.time, right.time);
  EXPECT_EQ(left.previous_hash, right.previous_hash);
  EXPECT_EQ(left.hash, right.hash);
}

TEST_F(SqliteLedgerBookTest, EmptyBookHasHeightZeroAndNothingElse) {
  const auto head = book_->GetHead();
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->height, 0);
  EXPECT_EQ(head->hash, store::Hash{});
  EXPECT_EQ(head->supply, TokenAmount());
  EXPECT_THAT(book_->Find("key-1"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(book_->Read(1, 10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(book_->GetBalance("a"), IsOkAndHolds(TokenAmount()));
}

TEST_F(SqliteLedgerBookTest, LedgerIdIsAUuidThatSurvivesReopening) {
  const std::string ledger_id = book_->ledger_id();
  EXPECT_THAT(base::Uuid::Parse(ledger_id), IsOk());
  Open();
  EXPECT_EQ(book_->ledger_id(), ledger_id);
}

TEST_F(SqliteLedgerBookTest, AppendedEntriesAreThereWithTheirBalancesAfterReopening) {
  const std::vector<LedgerEntry> entries = {Entry(1, "a", 5), Entry(2, "b", 7), Entry(3, "a", 0)};
  ASSERT_THAT(Append({entries[0]}), IsOk());
  ASSERT_THAT(Append({entries[1], entries[2]}), IsOk());
  Open();
  const auto read = book_->Read(1, 10);
  ASSERT_THAT(read, IsOkAndHolds(SizeIs(3)));
  for (std::size_t i = 0; i < 3; ++i) ExpectSame((*read)[i], entries[i]);
  ExpectSame(book_->Find("key-2")->value(), entries[1]);
  EXPECT_THAT(book_->GetBalance("a"), IsOkAndHolds(TokenAmount::FromBaseUnits(5)));
  EXPECT_THAT(book_->GetBalance("b"), IsOkAndHolds(TokenAmount::FromBaseUnits(7)));
  const auto head = book_->GetHead();
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->height, 3);
  EXPECT_EQ(head->hash, HashOf(3));
  EXPECT_EQ(head->supply, TokenAmount::FromBaseUnits(12));
}

TEST_F(SqliteLedgerBookTest, ReadsFromTheGivenHeightUpToTheCount) {
  ASSERT_THAT(Append({Entry(1, "a", 1), Entry(2, "a", 1), Entry(3, "a", 1)}), IsOk());
  const auto read = book_->Read(2, 1);
  ASSERT_THAT(read, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(read->front().height, 2);
  EXPECT_EQ(read->front().previous_hash, HashOf(1));
  EXPECT_THAT(book_->Read(4, 10), IsOkAndHolds(IsEmpty()));
}

TEST_F(SqliteLedgerBookTest, KnownKeyAppendsNothingOfTheWholeCall) {
  ASSERT_THAT(Append({Entry(1, "a", 1)}), IsOk());
  LedgerEntry again = Entry(3, "a", 1);
  again.idempotency_key = "key-1";
  EXPECT_THAT(Append({Entry(2, "b", 9), again}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(book_->GetHead()->height, 1);
  EXPECT_THAT(book_->GetBalance("b"), IsOkAndHolds(TokenAmount()));
  EXPECT_THAT(Append({Entry(2, "b", 9)}), IsOk());
}

TEST_F(SqliteLedgerBookTest, KeyTwiceInOneCallAppendsNothing) {
  LedgerEntry again = Entry(2, "a", 1);
  again.idempotency_key = "key-1";
  EXPECT_THAT(Append({Entry(1, "a", 1), again}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(book_->GetHead()->height, 0);
}

TEST_F(SqliteLedgerBookTest, SupplyThatDoesNotFitIsRefused) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  ASSERT_THAT(Append({Entry(1, "a", most)}), IsOk());
  EXPECT_THAT(Append({Entry(2, "b", 1)}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(book_->GetHead()->height, 1);
}

TEST_F(SqliteLedgerBookTest, FullDiskAppendsNothingAndTheBookGoesOn) {
  options_.pages_max = 12;
  Open();
  LedgerEntry big = Entry(1, "a", 1);
  big.signed_bytes.assign(1'000'000, 'x');
  EXPECT_THAT(Append({big}), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(book_->GetHead()->height, 0);
  EXPECT_THAT(book_->GetBalance("a"), IsOkAndHolds(TokenAmount()));
  EXPECT_THAT(Append({Entry(1, "a", 1)}), IsOk());
}

TEST_F(SqliteLedgerBookTest, DatabaseOfReadingsIsNoLedger) {
  Database::Options options;
  options.connection.path = (dir_ / "wattmint.db").string();
  ASSERT_THAT(Database::Open(options), IsOk());
  EXPECT_THAT(SqliteLedgerBook::Open(options.connection),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

using SqliteLedgerBookDeathTest = SqliteLedgerBookTest;

TEST_F(SqliteLedgerBookDeathTest, EntryThatDoesNotContinueTheChainStopsTheProgram) {
  EXPECT_DEATH(static_cast<void>(Append({Entry(2, "a", 1)})), "entry 2 on top of 0");
  LedgerEntry wrong = Entry(1, "a", 1);
  wrong.previous_hash = HashOf(9);
  EXPECT_DEATH(static_cast<void>(Append({wrong})), "does not continue the chain");
}

}  // namespace
}  // namespace wattmint::storage
