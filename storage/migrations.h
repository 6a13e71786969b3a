// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/connection.h"

#include <absl/status/status.h>

#include <cstdint>
#include <span>

namespace wattmint::storage {

// What a kind of database file looks like: script n (from 1) makes version n out of version n-1.
// Scripts that were released are never changed.
struct Schema {
  std::int32_t application_id = 0;  // marks the file as one of this kind
  std::span<const char* const> scripts;
};

// Brings the database to the newest version, each step in a transaction of its own.
// Errors: kFailedPrecondition for a newer database and for a file of another kind; those of
// ToStatus().
absl::Status Migrate(Connection& connection, const Schema& schema);

// For a connection that only reads: that the database has the newest version already.
// Errors: as Migrate(), and kFailedPrecondition for an older one.
absl::Status CheckNewest(Connection& connection, const Schema& schema);

}  // namespace wattmint::storage
