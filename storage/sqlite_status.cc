// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_status.h"

#include "core/base/status.h"

#include <sqlite3.h>

namespace wattmint::storage {
namespace {

absl::StatusCode CodeOf(int sqlite_code) {
  switch (sqlite_code) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status ToStatus(const SQLite::Exception& exception, std::string_view doing) {
  return {CodeOf(exception.getErrorCode()),
          fmt::format("{}: {} (SQLite code {})", doing, exception.what(),
                      exception.getExtendedErrorCode())};
}

}  // namespace wattmint::storage
