// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_journal.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/log_identity.h"
#include "storage/migrations.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"
#include "storage/sqlite_transaction.h"

namespace wattmint::storage {
namespace {

absl::StatusOr<std::unique_ptr<Writer>> OpenWriter(const ConnectionOptions& options) {
  WATTMINT_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                            Connection::Open(options, Access::kWrite));
  WATTMINT_RETURN_IF_ERROR(Migrate(*connection, kWattmintSchema));
  WATTMINT_RETURN_IF_ERROR(EnsureLogIdentity(*connection));
  return Guarded("preparing the writer", [&]() -> absl::StatusOr<std::unique_ptr<Writer>> {
    return std::make_unique<Writer>(std::move(connection));
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const ConnectionOptions& options,
                                                                   ReaderPool& readers) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(options, readers));
  WATTMINT_RETURN_IF_ERROR(journal->Reopen());
  return journal;
}

// The writer's connection is closed last, in Reopen() as well: only it can fold the log into the
// file.
SqliteJournal::~SqliteJournal() { readers_.Close(); }

absl::StatusOr<std::unique_ptr<store::Transaction>> SqliteJournal::Begin() {
  if (broken_)
    return base::Unavailable("the last transaction broke: the database must be reopened");
  return SqliteTransaction::Begin(*writer_, broken_);
}

absl::Status SqliteJournal::Reopen() {
  broken_ = true;
  readers_.Close();
  writer_.reset();
  WATTMINT_ASSIGN_OR_RETURN(writer_, OpenWriter(options_));
  WATTMINT_RETURN_IF_ERROR(readers_.Open());
  broken_ = false;
  return absl::OkStatus();
}

}  // namespace wattmint::storage
