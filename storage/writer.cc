// SPDX-License-Identifier: Apache-2.0
#include "storage/writer.h"

#include "storage/log_identity.h"

namespace wattmint::storage {

Writer::Writer(std::unique_ptr<Connection> opened)
    : connection(std::move(opened)),
      salt(ReadLogIdentity(*connection).salt),
      begin(connection->database(), "BEGIN IMMEDIATE"),
      commit(connection->database(), "COMMIT"),
      rollback(connection->database(), "ROLLBACK"),
      select_last(connection->database(),
                  "SELECT coalesce((SELECT max(row) FROM readings), 0),"
                  " coalesce((SELECT max(sequence) FROM events), 0)"),
      insert_reading(connection->database(),
                     "INSERT INTO readings (row, meter_ref, tenure_ref, start, length, energy,"
                     " quality, channel, accept_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_task(connection->database(),
                  "INSERT INTO mint_tasks (task_id, next_attempt, update_time) VALUES (?, ?2, ?2)"),
      insert_event(connection->database(), "INSERT INTO events (sequence, payload) VALUES (?, ?)") {
}

}  // namespace wattmint::storage
