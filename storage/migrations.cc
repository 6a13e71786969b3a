// SPDX-License-Identifier: Apache-2.0
#include "storage/migrations.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/sqlite_status.h"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Transaction.h>

namespace wattmint::storage {
namespace {

absl::Status CheckKind(SQLite::Database& database, const Schema& schema) {
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  const int kind = database.execAndGet("PRAGMA application_id").getInt();
  const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
  if (!empty && kind != schema.application_id) {
    return base::FailedPrecondition("{} is no file of this kind (application id {}, not {})",
                                    database.getFilename(), kind, schema.application_id);
  }
  if (version > static_cast<int>(schema.scripts.size())) {
    return base::FailedPrecondition(
        "{} has schema version {}, newer than {}, the newest that this program knows: "
        "use the program that wrote it, or a newer one",
        database.getFilename(), version, schema.scripts.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(Connection& connection, const Schema& schema) {
  SQLite::Database& database = connection.database();
  return Guarded(fmt::format("bringing {} up to date", database.getFilename()), [&] {
    WATTMINT_RETURN_IF_ERROR(CheckKind(database, schema));
    const auto version = std::size_t{database.execAndGet("PRAGMA user_version").getUInt()};
    if (version == schema.scripts.size()) return absl::OkStatus();
    // Sorting for a new index would take as much memory as the index is large.
    database.exec("PRAGMA temp_store = FILE");
    for (std::size_t next = version + 1; next <= schema.scripts.size(); ++next) {
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      database.exec(schema.scripts[next - 1]);
      database.exec(fmt::format("PRAGMA application_id = {}", schema.application_id));
      database.exec(fmt::format("PRAGMA user_version = {}", next));
      transaction.commit();
    }
    database.exec("PRAGMA temp_store = MEMORY");
    return absl::OkStatus();
  });
}

absl::Status CheckNewest(Connection& connection, const Schema& schema) {
  SQLite::Database& database = connection.database();
  return Guarded(fmt::format("reading the version of {}", database.getFilename()), [&] {
    WATTMINT_RETURN_IF_ERROR(CheckKind(database, schema));
    const auto version = std::size_t{database.execAndGet("PRAGMA user_version").getUInt()};
    if (version == schema.scripts.size()) return absl::OkStatus();
    return base::FailedPrecondition(
        "{} has schema version {}, not {}: start a core on it once, which brings it up to date",
        database.getFilename(), version, schema.scripts.size());
  });
}

}  // namespace wattmint::storage
