// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_transaction.h"

#include "core/base/status_macros.h"
#include "storage/rows.h"
#include "storage/run.h"

#include <algorithm>

namespace wattmint::storage {
namespace {

absl::Status RequireOne(int changed, std::string_view what) {
  if (changed == 1) return absl::OkStatus();
  return base::Internal("{} is not there to be changed", what);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTransaction>> SqliteTransaction::Begin(Writer& writer,
                                                                            absl::Status& outcome) {
  std::unique_ptr<SqliteTransaction> begun(new SqliteTransaction(writer, outcome));
  WATTMINT_RETURN_IF_ERROR(begun->Do("beginning a transaction", [&] {
    Run(writer.begin).Execute();
    Run last(writer.select_last);
    last.Next();
    begun->last_row_ = last.Int64(0);
    begun->last_sequence_ = last.Int64(1);
    return absl::OkStatus();
  }));
  return begun;
}

SqliteTransaction::~SqliteTransaction() {
  if (committed_) return;
  writer_.tenures.clear();
  // SQLite rolls back by itself after some errors; then there is nothing left to do.
  static_cast<void>(writer_.rollback.tryExecuteStep());
  writer_.rollback.tryReset();
}

absl::Status SqliteTransaction::Commit() {
  return Do("committing", [&] {
    sums_.Flush(*writer_.connection);
    PutEventBytes();
    Run(writer_.commit).Execute();
    committed_ = true;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<domain::MintTask>> SqliteTransaction::FindTask(std::int64_t task_id) {
  using Answer = absl::StatusOr<std::optional<domain::MintTask>>;
  static const std::string kSql = std::string(kSelectTask) + " WHERE t.task_id = ?";
  return Do("looking for a mint task", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), task_id);
    if (!run.Next()) return std::nullopt;
    return ReadTask(run, writer_.salt);
  });
}

absl::StatusOr<bool> SqliteTransaction::UpdateTask(const domain::MintTask& task,
                                                   domain::MintState expected) {
  static const std::string kFind =
      "SELECT r.tenure_ref, r.energy, t.tokens, t.batch_id FROM mint_tasks t CROSS JOIN readings r"
      " ON r.row = t.task_id WHERE t.task_id = ? AND t.state = ?";
  static const std::string kChange =
      "UPDATE mint_tasks SET state = ?, tokens = ?, wallet_address = ?, signed_bytes = ?,"
      " transaction_signature = ?, expiry_height = ?, attempts = ?, sends = ?,"
      " next_attempt = ?, by_hand = ?, reason = ?, update_time = ? WHERE task_id = ?";
  // Apart, so that the index by batch is touched only where a task changes its batch.
  static const std::string kMove = "UPDATE mint_tasks SET batch_id = ? WHERE task_id = ?";
  return Do("changing a mint task", [&]() -> absl::StatusOr<bool> {
    Run found(writer_.connection->Prepared(kFind), task.task_id, expected);
    if (!found.Next()) return false;
    const std::int64_t tenure_ref = found.Int64(0);
    const std::int64_t energy = found.Int64(1);
    const bool moves = found.View(3) != task.batch_id;
    sums_.AddTask(tenure_ref, -1, expected, energy, found.Int64(2));
    sums_.AddTask(tenure_ref, 1, task.state, energy, task.tokens.base_units());
    Run(writer_.connection->Prepared(kChange), task.state, task.tokens.base_units(),
        task.wallet_address, Blob{task.signed_bytes}, task.transaction_signature,
        task.expiry_height, task.attempts, task.sends, task.next_attempt, task.by_hand, task.reason,
        task.update_time, task.task_id)
        .Execute();
    if (moves) Run(writer_.connection->Prepared(kMove), task.batch_id, task.task_id).Execute();
    return true;
  });
}

absl::StatusOr<domain::Remainder> SqliteTransaction::GetRemainder(std::string_view meter_id) {
  static const std::string kSql =
      "SELECT mint_remainder, mint_remainder_denominator FROM meters WHERE meter_id = ?";
  return Do("reading a remainder", [&]() -> absl::StatusOr<domain::Remainder> {
    Run run(writer_.connection->Prepared(kSql), meter_id);
    if (!run.Next()) return base::Internal("meter {} is not there", meter_id);
    return domain::Remainder{run.Int64(0), run.Int64(1)};
  });
}

absl::Status SqliteTransaction::SetRemainder(std::string_view meter_id,
                                             domain::Remainder remainder) {
  static const std::string kSql =
      "UPDATE meters SET mint_remainder = ?, mint_remainder_denominator = ? WHERE meter_id = ?";
  return Do("storing a remainder", [&] {
    return RequireOne(Run(writer_.connection->Prepared(kSql), remainder.numerator,
                          remainder.denominator, meter_id)
                          .Execute(),
                      meter_id);
  });
}

absl::StatusOr<domain::Energy> SqliteTransaction::GetSignedEnergy(std::int64_t day) {
  static const std::string kSql = "SELECT energy FROM mint_days WHERE day = ?";
  return Do("reading what was signed on a day", [&]() -> absl::StatusOr<domain::Energy> {
    Run run(writer_.connection->Prepared(kSql), day);
    return domain::Energy::FromNanoKwh(run.Next() ? run.Int64(0) : 0);
  });
}

absl::Status SqliteTransaction::AddSignedEnergy(std::int64_t day, domain::Energy energy) {
  static const std::string kSql =
      "INSERT INTO mint_days (day, energy) VALUES (?1, ?2)"
      " ON CONFLICT (day) DO UPDATE SET energy = energy + ?2";
  return Do("counting what is signed", [&] {
    Run(writer_.connection->Prepared(kSql), day, energy.nano_kwh()).Execute();
    return absl::OkStatus();
  });
}

absl::StatusOr<std::int64_t> SqliteTransaction::InsertMeter(const domain::Meter& meter) {
  static const std::string kSql =
      "INSERT INTO meters (meter_id, user_id, wallet_address, public_key, register_time,"
      " update_time) VALUES (?, ?, ?, ?, ?, ?)";
  return Do("storing a meter", [&]() -> absl::StatusOr<std::int64_t> {
    Run(writer_.connection->Prepared(kSql), meter.meter_id, meter.user_id, meter.wallet_address,
        meter.public_key, meter.register_time, meter.update_time)
        .Execute();
    return writer_.connection->database().getLastInsertRowid();
  });
}

absl::Status SqliteTransaction::UpdateMeter(const domain::Meter& meter) {
  static const std::string kSql =
      "UPDATE meters SET user_id = ?, wallet_address = ?, public_key = ?, register_time = ?,"
      " update_time = ? WHERE meter_id = ?";
  return Do("changing a meter", [&] {
    return RequireOne(Run(writer_.connection->Prepared(kSql), meter.user_id, meter.wallet_address,
                          meter.public_key, meter.register_time, meter.update_time, meter.meter_id)
                          .Execute(),
                      meter.meter_id);
  });
}

absl::Status SqliteTransaction::InsertApiKey(const store::ApiKeyRecord& key) {
  static const std::string kSql =
      "INSERT INTO api_keys (sha256, user_id, roles, display_name, create_time, expire_time,"
      " revoke_time, requests_per_second, key_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
  return Do("storing an API key", [&] {
    Run(writer_.connection->Prepared(kSql), Blob::Of(key.sha256), key.user_id, key.roles,
        key.display_name, key.create_time, key.expire_time, key.revoke_time,
        key.requests_per_second, key.key_id)
        .Execute();
    return absl::OkStatus();
  });
}

absl::Status SqliteTransaction::UpdateApiKey(const store::ApiKeyRecord& key) {
  static const std::string kSql =
      "UPDATE api_keys SET sha256 = ?, user_id = ?, roles = ?, display_name = ?, create_time = ?,"
      " expire_time = ?, revoke_time = ?, requests_per_second = ? WHERE key_id = ?";
  return Do("changing an API key", [&] {
    return RequireOne(Run(writer_.connection->Prepared(kSql), Blob::Of(key.sha256), key.user_id,
                          key.roles, key.display_name, key.create_time, key.expire_time,
                          key.revoke_time, key.requests_per_second, key.key_id)
                          .Execute(),
                      key.key_id);
  });
}

absl::Status SqliteTransaction::SetKeyUse(const store::KeyUse& use) {
  static const std::string kSql =
      "INSERT OR REPLACE INTO api_key_uses (key_id, last_use) VALUES (?, ?)";
  return Do("storing the last use of an API key", [&] {
    Run(writer_.connection->Prepared(kSql), use.key_id, use.last_use).Execute();
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<store::AnnouncementRecord>> SqliteTransaction::FindAnnouncement(
    std::string_view request_id) {
  using Answer = absl::StatusOr<std::optional<store::AnnouncementRecord>>;
  static const std::string kSql = std::string(kSelectAnnouncement) + " WHERE request_id = ?";
  return Do("looking for an announcement", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), request_id);
    if (!run.Next()) return std::nullopt;
    return ReadAnnouncement(run);
  });
}

absl::Status SqliteTransaction::InsertAnnouncement(const store::AnnouncementRecord& announcement) {
  static const std::string kSql =
      "INSERT INTO announcements (request_id, sha256, sequence, time) VALUES (?, ?, ?, ?)";
  return Do("storing an announcement", [&] {
    Run(writer_.connection->Prepared(kSql), announcement.request_id, Blob::Of(announcement.sha256),
        announcement.sequence, announcement.time)
        .Execute();
    return absl::OkStatus();
  });
}

absl::Status SqliteTransaction::SetSwitch(std::string_view name, std::string_view value) {
  static const std::string kRemove = "DELETE FROM switches WHERE name = ?";
  static const std::string kPut = "INSERT OR REPLACE INTO switches (name, value) VALUES (?, ?)";
  return Do("setting a switch", [&] {
    if (value.empty()) {
      Run(writer_.connection->Prepared(kRemove), name).Execute();
    } else {
      Run(writer_.connection->Prepared(kPut), name, value).Execute();
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::int64_t> SqliteTransaction::AppendEvent(std::string_view payload) {
  return Do("appending an event", [&]() -> absl::StatusOr<std::int64_t> {
    Run(writer_.insert_event, last_sequence_ + 1, Blob{payload}).Execute();
    event_bytes_ += static_cast<std::int64_t>(payload.size());
    return ++last_sequence_;
  });
}

absl::StatusOr<std::int64_t> SqliteTransaction::CompactEvents(std::int64_t before,
                                                              std::int64_t count_max) {
  static const std::string kFirst = "SELECT coalesce(min(sequence), 1) FROM events";
  static const std::string kBytes =
      "SELECT coalesce(sum(length(payload)), 0) FROM events WHERE sequence < ?";
  static const std::string kDelete = "DELETE FROM events WHERE sequence < ?";
  return Do("compacting the log", [&]() -> absl::StatusOr<std::int64_t> {
    Connection& connection = *writer_.connection;
    Run oldest(connection.Prepared(kFirst));
    oldest.Next();
    const std::int64_t first = oldest.Int64(0);
    const std::int64_t end = std::min({before, first + count_max, last_sequence_});
    if (end <= first) return 0;
    Run bytes(connection.Prepared(kBytes), end);
    bytes.Next();
    event_bytes_ -= bytes.Int64(0);
    Run(connection.Prepared(kDelete), end).Execute();
    return end - first;
  });
}

void SqliteTransaction::PutEventBytes() const {
  static const std::string kSql = "UPDATE log SET event_bytes = event_bytes + ?";
  if (event_bytes_ == 0) return;
  Run(writer_.connection->Prepared(kSql), event_bytes_).Execute();
}

}  // namespace wattmint::storage
