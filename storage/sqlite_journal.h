// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/transaction.h"
#include "storage/connection.h"
#include "storage/reader_pool.h"
#include "storage/writer.h"

#include <memory>

namespace wattmint::storage {

// The journal of wattmint.db: the one connection that writes.
//
// Threads: one. Lifetime: `readers` must outlive it.
class SqliteJournal final : public store::Journal {
 public:
  // Creates the database or brings it up to date, then opens the readers.
  // Errors: those of Migrate().
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const ConnectionOptions& options,
                                                             ReaderPool& readers);

  ~SqliteJournal() override;

  // kUnavailable after a transaction broke, until Reopen() succeeds.
  absl::StatusOr<std::unique_ptr<store::Transaction>> Begin() override;
  // Closes every connection of this process, so that SQLite recovers from the files alone what was
  // committed; readers wait meanwhile, and are refused while it fails. Logs why, once for each
  // reason. REQUIRES: no transaction.
  absl::Status Reopen() override;

 private:
  SqliteJournal(ConnectionOptions options, ReaderPool& readers)
      : options_(std::move(options)), readers_(readers) {}

  absl::Status OpenAll();
  void CloseAll();

  const ConnectionOptions options_;
  ReaderPool& readers_;
  std::unique_ptr<Writer> writer_;
  absl::Status outcome_;  // what broke the last transaction, or kept the database from opening
  absl::Status logged_;
};

}  // namespace wattmint::storage
