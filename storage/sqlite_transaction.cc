// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_transaction.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/rows.h"
#include "storage/run.h"
#include "storage/sqlite_status.h"

namespace wattmint::storage {
namespace {

std::optional<std::string_view> NothingIfEmpty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

absl::Status RequireOne(int changed, std::string_view what) {
  if (changed == 1) return absl::OkStatus();
  return base::Internal("{} is not there to be changed", what);
}

}  // namespace

template <typename Work>
std::invoke_result_t<Work> SqliteTransaction::Do(std::string_view doing, Work&& work) {
  if (IsBroken()) return base::Unavailable("{}: the transaction is broken", doing);
  auto result = Guarded(doing, std::forward<Work>(work));
  if (!result.ok()) outcome_ = StatusOf(result);
  return result;
}

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
    Run(writer_.commit).Execute();
    committed_ = true;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<store::KnownReading>> SqliteTransaction::FindReading(
    std::int64_t meter_ref, domain::Time start, domain::Duration length) {
  using Answer = absl::StatusOr<std::optional<store::KnownReading>>;
  static const std::string kSql =
      std::string(kSelectKnownReading) + " WHERE r.meter_ref = ? AND r.start = ? AND r.length = ?";
  return Do("looking for a reading", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), meter_ref, start, length);
    if (!run.Next()) return std::nullopt;
    return ReadKnownReading(run, writer_.salt);
  });
}

absl::StatusOr<std::optional<store::ReadingSpan>> SqliteTransaction::FindLastStartingBefore(
    std::int64_t meter_ref, domain::Time end) {
  using Answer = absl::StatusOr<std::optional<store::ReadingSpan>>;
  static const std::string kSql =
      "SELECT start, length FROM readings WHERE meter_ref = ? AND start < ?"
      " ORDER BY start DESC, length DESC LIMIT 1";
  return Do("looking for the reading before", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), meter_ref, end);
    if (!run.Next()) return std::nullopt;
    return store::ReadingSpan{run.Time(0), run.Duration(1)};
  });
}

absl::StatusOr<bool> SqliteTransaction::HasPointBetween(std::int64_t meter_ref, domain::Time after,
                                                        domain::Time before) {
  static const std::string kSql =
      "SELECT 1 FROM readings WHERE meter_ref = ? AND start > ? AND start < ? AND length = 0"
      " LIMIT 1";
  return Do("looking for point readings", [&]() -> absl::StatusOr<bool> {
    return Run(writer_.connection->Prepared(kSql), meter_ref, after, before).Next();
  });
}

absl::StatusOr<std::optional<store::KnownReading>> SqliteTransaction::FindRequestId(
    std::int64_t meter_ref, std::string_view request_id) {
  using Answer = absl::StatusOr<std::optional<store::KnownReading>>;
  static const std::string kSql =
      std::string(kSelectKnownReading) +
      " WHERE r.row = (SELECT row FROM reading_extras WHERE meter_ref = ? AND request_id = ?)";
  return Do("looking for a request id", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), meter_ref, request_id);
    if (!run.Next()) return std::nullopt;
    return ReadKnownReading(run, writer_.salt);
  });
}

absl::StatusOr<std::optional<domain::Time>> SqliteTransaction::FindLastEnd(std::int64_t meter_ref) {
  // Readings of a meter don't overlap, so the one that starts last ends last.
  static const std::string kSql =
      "SELECT start + length FROM readings WHERE meter_ref = ?"
      " ORDER BY start DESC, length DESC LIMIT 1";
  return Do("looking for the last reading", [&]() -> absl::StatusOr<std::optional<domain::Time>> {
    Run run(writer_.connection->Prepared(kSql), meter_ref);
    if (!run.Next()) return std::nullopt;
    return run.Time(0);
  });
}

absl::StatusOr<std::int64_t> SqliteTransaction::FindCounter(std::int64_t meter_ref,
                                                            std::string_view public_key) {
  static const std::string kSql =
      "SELECT counter FROM meter_keys WHERE meter_ref = ? AND public_key = ?";
  return Do("looking for a counter", [&]() -> absl::StatusOr<std::int64_t> {
    Run run(writer_.connection->Prepared(kSql), meter_ref, public_key);
    return run.Next() ? run.Int64(0) : 0;
  });
}

absl::StatusOr<domain::ReadingId> SqliteTransaction::InsertReading(const domain::Meter& meter,
                                                                   const domain::Reading& reading,
                                                                   domain::MintState mint_state,
                                                                   domain::Time accept_time) {
  const bool mintable = mint_state == domain::MintState::kPending;
  const bool allowed = mintable || mint_state == domain::MintState::kNotApplicable;
  WATTMINT_ASSERT(allowed, "a new reading cannot be {}", domain::Name(mint_state));
  return Do("storing a reading", [&]() -> absl::StatusOr<domain::ReadingId> {
    const std::int64_t row = last_row_ + 1;
    const std::int64_t tenure_ref = TenureOf(meter, row);
    Run(writer_.insert_reading, row, meter.meter_ref, tenure_ref, reading.start, reading.length,
        reading.energy.nano_kwh(), reading.quality, reading.channel, accept_time)
        .Execute();
    if (mintable) Run(writer_.insert_task, row, accept_time).Execute();
    InsertExtras(row, meter, reading);
    const bool generated = reading.channel == domain::Channel::kGeneration;
    sums_.AddReading(tenure_ref, generated ? reading.energy.nano_kwh() : 0, mint_state);
    last_row_ = row;
    return domain::ReadingId(accept_time, writer_.salt, row);
  });
}

void SqliteTransaction::InsertExtras(std::int64_t row, const domain::Meter& meter,
                                     const domain::Reading& reading) const {
  const domain::Telemetry& telemetry = reading.telemetry;
  std::optional<std::int64_t> key_ref;
  if (!meter.public_key.empty()) key_ref = PutMeterKey(meter, reading.meter_counter);
  if (reading.request_id.empty() && reading.meter_signature.empty() && telemetry.IsEmpty() &&
      reading.meter_counter == 0 && !key_ref) {
    return;
  }
  static const std::string kSql =
      "INSERT INTO reading_extras (row, meter_ref, request_id, meter_signature, voltage_volts,"
      " current_amperes, power_watts, frequency_hertz, meter_counter, key_ref)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  Run(writer_.connection->Prepared(kSql), row, meter.meter_ref, NothingIfEmpty(reading.request_id),
      NothingIfEmpty(reading.meter_signature), telemetry.voltage_volts, telemetry.current_amperes,
      telemetry.power_watts, telemetry.frequency_hertz, reading.meter_counter, key_ref)
      .Execute();
}

std::int64_t SqliteTransaction::PutMeterKey(const domain::Meter& meter,
                                            std::int64_t counter) const {
  static const std::string kSql =
      "INSERT INTO meter_keys (meter_ref, public_key, counter) VALUES (?, ?, ?)"
      " ON CONFLICT (meter_ref, public_key) DO UPDATE SET counter = max(counter, excluded.counter)"
      " RETURNING key_ref";
  Run run(writer_.connection->Prepared(kSql), meter.meter_ref, meter.public_key, counter);
  run.Next();
  return run.Int64(0);
}

std::int64_t SqliteTransaction::TenureOf(const domain::Meter& meter, std::int64_t row) {
  auto [entry, is_new] = writer_.tenures.try_emplace(meter.meter_ref);
  Writer::Tenure& tenure = entry->second;
  if (is_new) tenure = LoadTenure(meter.meter_ref);
  if (tenure.tenure_ref != 0 && tenure.user_id == meter.user_id &&
      tenure.wallet_address == meter.wallet_address) {
    return tenure.tenure_ref;
  }
  static const std::string kEnd = "UPDATE tenures SET end_row = ? WHERE tenure_ref = ?";
  static const std::string kBegin =
      "INSERT INTO tenures (meter_ref, user_id, wallet_address, first_row) VALUES (?, ?, ?, ?)";
  Run(writer_.connection->Prepared(kEnd), row, tenure.tenure_ref).Execute();
  Run(writer_.connection->Prepared(kBegin), meter.meter_ref, meter.user_id, meter.wallet_address,
      row)
      .Execute();
  tenure = {writer_.connection->database().getLastInsertRowid(), meter.user_id,
            meter.wallet_address};
  return tenure.tenure_ref;
}

Writer::Tenure SqliteTransaction::LoadTenure(std::int64_t meter_ref) const {
  static const std::string kSql =
      "SELECT tenure_ref, user_id, wallet_address FROM tenures WHERE meter_ref = ?"
      " ORDER BY first_row DESC LIMIT 1";
  Run run(writer_.connection->Prepared(kSql), meter_ref);
  if (!run.Next()) return {};
  return {run.Int64(0), run.Text(1), run.Text(2)};
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
      "SELECT r.tenure_ref, r.energy, t.tokens FROM mint_tasks t CROSS JOIN readings r"
      " ON r.row = t.task_id WHERE t.task_id = ? AND t.state = ?";
  static const std::string kChange =
      "UPDATE mint_tasks SET state = ?, tokens = ?, wallet_address = ?, signed_bytes = ?,"
      " transaction_signature = ?, expiry_height = ?, batch_id = ?, attempts = ?, sends = ?,"
      " next_attempt = ?, by_hand = ?, reason = ?, update_time = ? WHERE task_id = ?";
  return Do("changing a mint task", [&]() -> absl::StatusOr<bool> {
    Run found(writer_.connection->Prepared(kFind), task.task_id, expected);
    if (!found.Next()) return false;
    const std::int64_t tenure_ref = found.Int64(0);
    const std::int64_t energy = found.Int64(1);
    sums_.AddTask(tenure_ref, -1, expected, energy, found.Int64(2));
    sums_.AddTask(tenure_ref, 1, task.state, energy, task.tokens.base_units());
    Run(writer_.connection->Prepared(kChange), task.state, task.tokens.base_units(),
        task.wallet_address, Blob{task.signed_bytes}, task.transaction_signature,
        task.expiry_height, task.batch_id, task.attempts, task.sends, task.next_attempt,
        task.by_hand, task.reason, task.update_time, task.task_id)
        .Execute();
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
    return ++last_sequence_;
  });
}

}  // namespace wattmint::storage
