// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/log_identity.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>
#include <absl/cleanup/cleanup.h>
#include <absl/status/statusor.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <system_error>

namespace wattmint::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kMomentsMax = 10'000;  // chosen: half a second, when each is spoilt by a mint
constexpr const char* kHeight = "SELECT coalesce(max(height), 0) FROM entries";

using OpenConnection = std::unique_ptr<Connection>;

absl::StatusOr<OpenConnection> OpenToRead(const fs::path& path, const Schema& schema) {
  ConnectionOptions options;
  options.path = path.string();
  WATTMINT_ASSIGN_OR_RETURN(OpenConnection connection, Connection::Open(options, Access::kRead));
  WATTMINT_RETURN_IF_ERROR(CheckNewest(*connection, schema));
  return connection;
}

// From the query on, the transaction sees what is committed now.
std::int64_t BeginToRead(Connection& connection, const char* query) {
  connection.database().exec("BEGIN");
  return connection.database().execAndGet(query).getInt64();
}

// Both see one moment when no mint came between: then the ledger did not change from its beginning
// to the log's.
absl::Status FindMoment(Connection& log, Connection& ledger, Connection& ledger_now) {
  return Guarded("finding a moment without a mint", [&]() -> absl::Status {
    for (int i = 0; i < kMomentsMax; ++i) {
      const std::int64_t height = BeginToRead(ledger, kHeight);
      BeginToRead(log, "SELECT count(*) FROM log");
      if (ledger_now.database().execAndGet(kHeight).getInt64() == height) return absl::OkStatus();
      ledger.database().exec("COMMIT");
      log.database().exec("COMMIT");
    }
    return base::Unavailable("mints go on too quickly for a backup; try again, or pause minting");
  });
}

absl::Status Copy(Connection& from, const fs::path& to) {
  if (fs::exists(to)) return base::AlreadyExists("{} is there already", to.string());
  return Guarded("copying to " + to.string(), [&]() -> absl::Status {
    SQLite::Database copy(to.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    if (SQLite::Backup(copy, from.database()).executeStep(-1) != SQLITE_DONE) {
      return base::Unavailable("{} is locked", from.database().getFilename());
    }
    const std::string answer = copy.execAndGet("PRAGMA integrity_check").getString();
    if (answer == "ok") return absl::OkStatus();
    return base::DataLoss("{} is damaged: {}", from.database().getFilename(), answer);
  });
}

void Remove(const fs::path& file) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    fs::remove(file.string() + suffix, ignored);
  }
}

absl::Status RenewIdentity(const fs::path& log) {
  ConnectionOptions options;
  options.path = log.string();
  WATTMINT_ASSIGN_OR_RETURN(const OpenConnection connection,
                            Connection::Open(options, Access::kWrite));
  return RenewEpoch(*connection);
}

}  // namespace

absl::Status BackUp(const DatabaseFiles& from, const DatabaseFiles& to) {
  WATTMINT_ASSIGN_OR_RETURN(const OpenConnection log, OpenToRead(from.log, kWattmintSchema));
  WATTMINT_ASSIGN_OR_RETURN(const OpenConnection ledger, OpenToRead(from.ledger, kLedgerSchema));
  WATTMINT_ASSIGN_OR_RETURN(const OpenConnection now, OpenToRead(from.ledger, kLedgerSchema));
  WATTMINT_RETURN_IF_ERROR(FindMoment(*log, *ledger, *now));
  WATTMINT_RETURN_IF_ERROR(Copy(*log, to.log));
  absl::Cleanup remove_log = [&to] { Remove(to.log); };
  WATTMINT_RETURN_IF_ERROR(Copy(*ledger, to.ledger));
  absl::Cleanup remove_ledger = [&to] { Remove(to.ledger); };
  WATTMINT_RETURN_IF_ERROR(RenewIdentity(to.log));
  std::move(remove_log).Cancel();
  std::move(remove_ledger).Cancel();
  return absl::OkStatus();
}

}  // namespace wattmint::storage
