// SPDX-License-Identifier: Apache-2.0
#include "storage/connection.h"

#include "storage/sqlite_status.h"

#include <fmt/core.h>
#include <sqlite3.h>

namespace wattmint::storage {
namespace {

// A connection belongs to one thread at a time, so that SQLite needs no mutex of its own.
int OpenFlags(Access access) {
  return SQLite::OPEN_NOMUTEX |
         (access == Access::kWrite ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE
                                   : SQLite::OPEN_READONLY);
}

// SQLite's own memory statistics cost 8-12 % of an insert and nobody reads them. Without effect
// when somebody used SQLite before us.
void ConfigureOnce() {
  static const int kResult = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(kResult);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options,
                                                             Access access) {
  ConfigureOnce();
  return Guarded(fmt::format("opening {}", options.path),
                 [&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
                   return std::make_unique<Connection>(options, access);
                 });
}

Connection::Connection(const ConnectionOptions& options, Access access)
    : database_(options.path, OpenFlags(access), options.busy_ms, options.vfs) {
  database_.exec(fmt::format("PRAGMA cache_size = -{}", options.cache_kib));
  database_.exec("PRAGMA temp_store = MEMORY");
  if (access == Access::kRead) return;
  database_.exec("PRAGMA journal_mode = WAL");
  database_.exec("PRAGMA synchronous = FULL");
  database_.exec("PRAGMA foreign_keys = ON");
  database_.exec(fmt::format("PRAGMA wal_autocheckpoint = {}", options.checkpoint_pages));
  if (options.pages_max > 0) {
    database_.exec(fmt::format("PRAGMA max_page_count = {}", options.pages_max));
  }
  SettleLog();
}

void Connection::SettleLog() {
  if (FoldLog() <= 0) return;
  // Any commit begins the log anew, with a header that makes the old one void wherever some of it
  // is still on the disk. Truncating it would not: that may be lost, and the old log be replayed.
  const int version = database_.execAndGet("PRAGMA user_version").getInt();
  database_.exec(fmt::format("PRAGMA user_version = {}", version));
}

int Connection::FoldLog() {
  SQLite::Statement checkpoint(database_, "PRAGMA wal_checkpoint(RESTART)");
  checkpoint.executeStep();
  const bool is_busy = checkpoint.getColumn(0).getInt() != 0;
  if (is_busy) throw SQLite::Exception("somebody reads the log, which must be folded", SQLITE_BUSY);
  return checkpoint.getColumn(1).getInt();
}

SQLite::Statement& Connection::Prepared(const std::string& sql) {
  std::unique_ptr<SQLite::Statement>& statement = prepared_[sql];
  if (statement == nullptr) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return *statement;
}

}  // namespace wattmint::storage
