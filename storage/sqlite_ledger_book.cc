// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_ledger_book.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/migrations.h"
#include "storage/random_uuid.h"
#include "storage/run.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"

#include <SQLiteCpp/Transaction.h>

namespace wattmint::storage {
namespace {

using store::LedgerEntry;
using store::LedgerHead;

// The hash before is that of the entry below; the first has none.
constexpr char kSelectEntry[] =
    "SELECT e.height, e.idempotency_key, w.wallet_address, e.tokens, e.signed_bytes, e.signature,"
    " e.time, before.hash, e.hash FROM entries e"
    " CROSS JOIN wallets w ON w.wallet_ref = e.wallet_ref"
    " LEFT JOIN entries before ON before.height = e.height - 1";

LedgerEntry ReadEntry(const Run& run) {
  LedgerEntry entry;
  entry.height = run.Int64(0);
  entry.idempotency_key = run.Text(1);
  entry.wallet_address = run.Text(2);
  entry.tokens = domain::TokenAmount::FromBaseUnits(run.Int64(3));
  entry.signed_bytes = run.Text(4);
  entry.signature = run.Bytes<64>(5);
  entry.time = run.Time(6);
  entry.previous_hash = run.Bytes<32>(7);
  entry.hash = run.Bytes<32>(8);
  return entry;
}

LedgerHead ReadHead(Connection& connection) {
  static const std::string kSql =
      "SELECT height, hash, supply FROM entries ORDER BY height DESC LIMIT 1";
  Run run(connection.Prepared(kSql));
  if (!run.Next()) return {};
  return {run.Int64(0), run.Bytes<32>(1), domain::TokenAmount::FromBaseUnits(run.Int64(2))};
}

std::optional<LedgerEntry> FindEntry(Connection& connection, std::string_view idempotency_key) {
  static const std::string kSql = std::string(kSelectEntry) + " WHERE e.idempotency_key = ?";
  Run run(connection.Prepared(kSql), idempotency_key);
  if (!run.Next()) return std::nullopt;
  return ReadEntry(run);
}

// The wallet's number, after its balance was raised.
std::int64_t RaiseBalance(Connection& connection, const LedgerEntry& entry) {
  static const std::string kSql =
      "INSERT INTO wallets (wallet_address, balance) VALUES (?, ?) ON CONFLICT (wallet_address)"
      " DO UPDATE SET balance = balance + excluded.balance RETURNING wallet_ref";
  Run run(connection.Prepared(kSql), entry.wallet_address, entry.tokens.base_units());
  run.Next();
  return run.Int64(0);
}

void InsertEntry(Connection& connection, const LedgerEntry& entry, domain::TokenAmount supply) {
  static const std::string kSql =
      "INSERT INTO entries (height, idempotency_key, wallet_ref, tokens, supply, signed_bytes,"
      " signature, time, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
  Run(connection.Prepared(kSql), entry.height, entry.idempotency_key,
      RaiseBalance(connection, entry), entry.tokens.base_units(), supply.base_units(),
      Blob{entry.signed_bytes}, Blob::Of(entry.signature), entry.time, Blob::Of(entry.hash))
      .Execute();
}

// The head with `entry` on top of it.
absl::StatusOr<LedgerHead> Extend(Connection& connection, const LedgerHead& head,
                                  const LedgerEntry& entry) {
  WATTMINT_ASSERT(entry.height == head.height + 1, "entry {} on top of {}", entry.height,
                  head.height);
  WATTMINT_ASSERT(entry.previous_hash == head.hash, "entry {} does not continue the chain",
                  entry.height);
  const auto supply = head.supply.CheckedAdd(entry.tokens);
  if (!supply) return base::OutOfRange("the supply does not fit with entry {}", entry.height);
  InsertEntry(connection, entry, *supply);
  return LedgerHead{entry.height, entry.hash, *supply};
}

void EnsureLedgerId(Connection& connection) {
  base::SystemRandom random;
  const base::Uuid drawn = RandomUuid(random);
  Run(connection.Prepared("INSERT OR IGNORE INTO meta (only, ledger_id) VALUES (1, ?)"),
      Blob::Of(drawn.bytes))
      .Execute();
}

absl::Status ReadLedgerId(Connection& connection, std::string& ledger_id) {
  Run run(connection.Prepared("SELECT ledger_id FROM meta"));
  if (!run.Next()) return base::DataLoss("the ledger has lost its identity");
  ledger_id = base::Uuid{run.Bytes<16>(0)}.ToString();
  return absl::OkStatus();
}

}  // namespace

template <typename Work>
auto SqliteLedgerBook::Do(std::string_view doing, Work work) {
  using Result = std::invoke_result_t<Work, Connection&>;
  base::MutexLock lock(mutex_);
  if (absl::Status prepared = Prepare(); !prepared.ok()) return Result(std::move(prepared));
  Connection& connection = *connection_;
  Result result = Guarded(doing, [&] { return work(connection); });
  if (!result.ok()) connection_.reset();
  return result;
}

absl::Status SqliteLedgerBook::Prepare() {
  if (connection_ != nullptr) return absl::OkStatus();
  WATTMINT_ASSIGN_OR_RETURN(auto opened, Connection::Open(options_, access_));
  WATTMINT_RETURN_IF_ERROR(access_ == Access::kWrite ? Migrate(*opened, kLedgerSchema)
                                                     : CheckNewest(*opened, kLedgerSchema));
  connection_ = std::move(opened);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SqliteLedgerBook>> SqliteLedgerBook::Open(
    const ConnectionOptions& options) {
  std::unique_ptr<SqliteLedgerBook> book(new SqliteLedgerBook(options, Access::kWrite));
  WATTMINT_RETURN_IF_ERROR(book->Do("opening the ledger", [&](Connection& connection) {
    EnsureLedgerId(connection);
    return ReadLedgerId(connection, book->ledger_id_);
  }));
  return book;
}

absl::StatusOr<std::unique_ptr<SqliteLedgerBook>> SqliteLedgerBook::OpenToRead(
    const ConnectionOptions& options) {
  std::unique_ptr<SqliteLedgerBook> book(new SqliteLedgerBook(options, Access::kRead));
  WATTMINT_RETURN_IF_ERROR(book->Do("opening the ledger", [&](Connection& connection) {
    return ReadLedgerId(connection, book->ledger_id_);
  }));
  return book;
}

absl::StatusOr<LedgerHead> SqliteLedgerBook::GetHead() {
  return Do("reading the ledger's head", [](Connection& connection) -> absl::StatusOr<LedgerHead> {
    return ReadHead(connection);
  });
}

absl::StatusOr<std::optional<LedgerEntry>> SqliteLedgerBook::Find(
    std::string_view idempotency_key) {
  return Do("looking for a ledger entry",
            [&](Connection& connection) -> absl::StatusOr<std::optional<LedgerEntry>> {
              return FindEntry(connection, idempotency_key);
            });
}

absl::Status SqliteLedgerBook::Append(std::span<const LedgerEntry> entries) {
  return Do("appending to the ledger", [&](Connection& connection) {
    SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
    LedgerHead head = ReadHead(connection);
    for (const LedgerEntry& entry : entries) {
      if (FindEntry(connection, entry.idempotency_key)) {
        return base::AlreadyExists("{} is on the ledger already", entry.idempotency_key);
      }
      WATTMINT_ASSIGN_OR_RETURN(head, Extend(connection, head, entry));
    }
    transaction.commit();
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<LedgerEntry>> SqliteLedgerBook::Read(std::int64_t from,
                                                                std::size_t count_max) {
  static const std::string kSql =
      std::string(kSelectEntry) + " WHERE e.height >= ? ORDER BY e.height LIMIT ?";
  using Entries = std::vector<LedgerEntry>;
  return Do("reading the ledger", [&](Connection& connection) -> absl::StatusOr<Entries> {
    Entries entries;
    Run run(connection.Prepared(kSql), from, count_max);
    while (run.Next()) entries.push_back(ReadEntry(run));
    return entries;
  });
}

absl::StatusOr<domain::TokenAmount> SqliteLedgerBook::GetBalance(std::string_view wallet_address) {
  static const std::string kSql = "SELECT balance FROM wallets WHERE wallet_address = ?";
  return Do("reading a balance",
            [&](Connection& connection) -> absl::StatusOr<domain::TokenAmount> {
              Run run(connection.Prepared(kSql), wallet_address);
              return domain::TokenAmount::FromBaseUnits(run.Next() ? run.Int64(0) : 0);
            });
}

absl::StatusOr<domain::TokenAmount> SqliteLedgerBook::SumBalances() {
  return Do("summing balances", [](Connection& connection) -> absl::StatusOr<domain::TokenAmount> {
    Run run(connection.Prepared("SELECT coalesce(sum(balance), 0) FROM wallets"));
    run.Next();
    return domain::TokenAmount::FromBaseUnits(run.Int64(0));
  });
}

}  // namespace wattmint::storage
