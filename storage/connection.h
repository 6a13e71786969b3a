// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace wattmint::storage {

enum class Access { kWrite, kRead };

struct ConnectionOptions {
  std::string path;
  std::string vfs;         // SQLite's name of the file system layer; empty: the platform's
  int busy_ms = 5'000;     // how long to wait for a lock of another process
  int cache_kib = 32'768;  // page cache of the connection
  int pages_max = 0;       // quota of the file in pages; 0: none
  // The log may grow to this many pages before it is folded into the file; measured: rarer is not
  // faster, and a thread of its own lets the log grow without bound.
  int checkpoint_pages = 4'096;
};

// One connection to a database file, in WAL mode: what is committed is on the disk (synchronous =
// FULL), readers never wait for the writer nor the writer for readers.
//
// Threads: one at a time.
class Connection {
 public:
  // kWrite creates the file if it is not there. Errors: those of ToStatus().
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options,
                                                          Access access);

  // Throws SQLite::Exception. REQUIRES: Open().
  Connection(const ConnectionOptions& options, Access access);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SQLite::Database& database() { return database_; }
  // The statement for this text, prepared when it is first asked for. Throws SQLite::Exception.
  SQLite::Statement& Prepared(const std::string& sql);

 private:
  // Lets a file of zeros begin anew. The first page of a new file is there before it is synced:
  // when that sync fails and the power goes, zeros are left, which no program could open any more.
  void EmptyBlankFile();
  // Makes the log durable as it is seen, before anybody is told of it or builds on it. A program
  // that died may have left there what it never synced; what a failed sync lost is still seen, and
  // the next one says OK; and the power may bring back a log that was removed, or a commit that
  // failed.
  void SettleLog();
  // Whether the log goes into the file when this is the last to close it. Never before it is
  // settled: what is lost of it would be replayed in part over a file that is newer.
  void FoldOnClose(bool folds);

  SQLite::Database database_;
  absl::flat_hash_map<std::string, std::unique_ptr<SQLite::Statement>> prepared_;
};

}  // namespace wattmint::storage
