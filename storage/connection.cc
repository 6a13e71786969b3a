// SPDX-License-Identifier: Apache-2.0
#include "storage/connection.h"

#include "storage/sqlite_status.h"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace wattmint::storage {
namespace {

// SQLite's files take no more at a time than two of its greatest pages.
constexpr sqlite3_int64 kChunkBytes = 65'536;

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

// Writes the bytes of the file over themselves: only what is written anew is synced anew. An SQLite
// code.
int WriteAnew(sqlite3_file& file) {
  const sqlite3_io_methods& methods = *file.pMethods;
  sqlite3_int64 size = 0;
  int code = methods.xFileSize(&file, &size);
  std::vector<char> bytes(static_cast<std::size_t>(std::min(size, kChunkBytes)));
  for (sqlite3_int64 offset = 0; code == SQLITE_OK && offset < size; offset += kChunkBytes) {
    const int count = static_cast<int>(std::min(size - offset, kChunkBytes));
    code = methods.xRead(&file, bytes.data(), count, offset);
    if (code == SQLITE_OK) code = methods.xWrite(&file, bytes.data(), count, offset);
  }
  return code;
}

// Whether a file whose log is gone holds nothing at all: a page of zeros, or a part of one. False
// if that cannot be told.
bool IsBlank(sqlite3_file& file) {
  const sqlite3_io_methods& methods = *file.pMethods;
  sqlite3_int64 size = 0;
  if (methods.xFileSize(&file, &size) != SQLITE_OK || size == 0 || size > kChunkBytes) return false;
  std::vector<char> bytes(static_cast<std::size_t>(size));
  if (methods.xRead(&file, bytes.data(), static_cast<int>(size), 0) != SQLITE_OK) return false;
  return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
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
  FoldOnClose(false);
  if (access == Access::kWrite) EmptyBlankFile();
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
  FoldOnClose(true);
}

void Connection::FoldOnClose(bool folds) {
  sqlite3_db_config(database_.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, folds ? 0 : 1,
                    nullptr);
}

void Connection::EmptyBlankFile() {
  // Only where SQLite has found neither a page nor a journal that would bring one back.
  if (database_.tryExec("SELECT count(*) FROM sqlite_schema") != SQLITE_NOTADB) return;
  sqlite3* const handle = database_.getHandle();
  sqlite3_vfs* vfs = nullptr;
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  int has_log = 1;
  const char* const log = sqlite3_filename_wal(sqlite3_db_filename(handle, "main"));
  const int code = vfs->xAccess(vfs, log, SQLITE_ACCESS_EXISTS, &has_log);
  if (code == SQLITE_OK && has_log == 0 && IsBlank(*file)) file->pMethods->xTruncate(file, 0);
}

void Connection::SettleLog() {
  // Nobody else appends meanwhile; who reads may go on.
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  sqlite3_file* log = nullptr;
  sqlite3_file_control(database_.getHandle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  const int code = log->pMethods == nullptr ? SQLITE_OK : WriteAnew(*log);
  if (code != SQLITE_OK) throw SQLite::Exception("making the log durable", code & 0xff);
  // Any commit syncs all of that and the name, and is written over one that failed.
  const int version = database_.execAndGet("PRAGMA user_version").getInt();
  database_.exec(fmt::format("PRAGMA user_version = {}", version));
  transaction.commit();
}

SQLite::Statement& Connection::Prepared(const std::string& sql) {
  std::unique_ptr<SQLite::Statement>& statement = prepared_[sql];
  if (statement == nullptr) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return *statement;
}

}  // namespace wattmint::storage
