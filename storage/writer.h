// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/connection.h"

#include <SQLiteCpp/Statement.h>
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>

namespace wattmint::storage {

// The one connection that writes, and what it keeps from transaction to transaction. Threads: one.
struct Writer {
  // The time during which a meter has one owner and one wallet; readings refer to it.
  struct Tenure {
    std::int64_t tenure_ref = 0;
    std::string user_id;
    std::string wallet_address;
  };

  // Throws SQLite::Exception. REQUIRES: `opened` is migrated and has its identity.
  explicit Writer(std::unique_ptr<Connection> opened);

  std::unique_ptr<Connection> connection;
  std::uint16_t salt = 0;
  // The present tenure by meter_ref, as far as it was asked for. To be cleared when a transaction
  // is rolled back.
  absl::flat_hash_map<std::int64_t, Tenure> tenures;

  // What runs for every row or every transaction; the rest is prepared when it is first needed.
  SQLite::Statement begin;
  SQLite::Statement commit;
  SQLite::Statement rollback;
  SQLite::Statement select_last;
  SQLite::Statement insert_reading;
  SQLite::Statement insert_task;
  SQLite::Statement insert_event;
};

}  // namespace wattmint::storage
