// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include "core/base/status_macros.h"

namespace wattmint::storage {

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Options& options) {
  std::unique_ptr<Database> database(new Database(options));
  WATTMINT_ASSIGN_OR_RETURN(database->journal_,
                            SqliteJournal::Open(options.connection, database->readers_));
  return database;
}

}  // namespace wattmint::storage
