// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/connection.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

namespace wattmint::storage {

// What tells the log of one database from that of another.
struct LogIdentity {
  std::string epoch;       // a UUID
  std::uint16_t salt = 0;  // in every ReadingId, below 4096
};

// Draws the identity of a new database, once. REQUIRES: a connection that may write, migrated.
absl::Status EnsureLogIdentity(Connection& connection);
// Gives a copy an epoch of its own; its salt stays, since reading ids hold it.
absl::Status RenewEpoch(Connection& connection);
// Throws SQLite::Exception. REQUIRES: EnsureLogIdentity() was called on this database.
LogIdentity ReadLogIdentity(Connection& connection);

}  // namespace wattmint::storage
