// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/migrations.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"

#include <SQLiteCpp/Column.h>

namespace wattmint::storage {
namespace {

absl::Status CheckIdentity(Connection& connection) {
  SQLite::Database& database = connection.database();
  return Guarded("reading the log's identity", [&]() -> absl::Status {
    if (database.execAndGet("SELECT count(*) FROM log").getInt() == 1) return absl::OkStatus();
    return base::DataLoss("{} has lost its identity", database.getFilename());
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Options& options) {
  std::unique_ptr<Database> database(new Database(options));
  WATTMINT_ASSIGN_OR_RETURN(database->journal_,
                            SqliteJournal::Open(options.connection, database->readers_));
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenToRead(const Options& options) {
  WATTMINT_ASSIGN_OR_RETURN(const auto connection,
                            Connection::Open(options.connection, Access::kRead));
  WATTMINT_RETURN_IF_ERROR(CheckNewest(*connection, kWattmintSchema));
  WATTMINT_RETURN_IF_ERROR(CheckIdentity(*connection));
  std::unique_ptr<Database> database(new Database(options));
  WATTMINT_RETURN_IF_ERROR(database->readers_.Open());
  return database;
}

}  // namespace wattmint::storage
