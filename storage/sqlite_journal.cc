// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_journal.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/log_identity.h"
#include "storage/migrations.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"
#include "storage/sqlite_transaction.h"

#include <spdlog/spdlog.h>

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
  WATTMINT_RETURN_IF_ERROR(journal->OpenAll());
  return journal;
}

SqliteJournal::~SqliteJournal() { CloseAll(); }

absl::StatusOr<std::unique_ptr<store::Transaction>> SqliteJournal::Begin() {
  if (writer_ == nullptr || !outcome_.ok()) {
    return base::Unavailable("the database must be opened again: {}", base::Message(outcome_));
  }
  return SqliteTransaction::Begin(*writer_, outcome_);
}

absl::Status SqliteJournal::Reopen() {
  if (outcome_ != logged_) {
    spdlog::error("opening {} again, since: {}", options_.path, outcome_.ToString());
    logged_ = outcome_;
  }
  CloseAll();
  outcome_ = OpenAll();
  if (outcome_.ok() && !logged_.ok()) {
    spdlog::info("{} is open again", options_.path);
    logged_ = outcome_;
  }
  return outcome_;
}

absl::Status SqliteJournal::OpenAll() {
  WATTMINT_ASSIGN_OR_RETURN(writer_, OpenWriter(options_));
  return readers_.Open();
}

// The writer's connection goes last: only it can fold the log into the file.
void SqliteJournal::CloseAll() {
  readers_.Close();
  writer_.reset();
}

}  // namespace wattmint::storage
