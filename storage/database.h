// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/connection.h"
#include "storage/reader_pool.h"
#include "storage/sqlite_event_log.h"
#include "storage/sqlite_journal.h"
#include "storage/sqlite_queries.h"

#include <absl/status/statusor.h>

#include <memory>

namespace wattmint::storage {

// wattmint.db with everything that core/store asks of it.
//
// Threads: journal() one; event_log() and queries() any. Lifetime: whoever uses them ends before
// it.
class Database {
 public:
  struct Options {
    ConnectionOptions connection;
    int readers = 4;  // questions answered at a time
  };
  // Creates the file, or brings it up to date. Errors: those of Migrate().
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options);
  // Only to look: changes nothing, also beside a core that runs on the file. Errors: those of
  // CheckNewest(); kDataLoss for a file without its identity.
  static absl::StatusOr<std::unique_ptr<Database>> OpenToRead(const Options& options);

  // REQUIRES: opened by Open().
  store::Journal& journal() { return *journal_; }
  store::EventLog& event_log() { return event_log_; }
  store::Queries& queries() { return queries_; }

 private:
  explicit Database(const Options& options)
      : readers_(options.connection, options.readers), event_log_(readers_), queries_(readers_) {}

  ReaderPool readers_;
  std::unique_ptr<SqliteJournal> journal_;
  SqliteEventLog event_log_;
  SqliteQueries queries_;
};

}  // namespace wattmint::storage
