// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"
#include "storage/rows.h"
#include "storage/run.h"
#include "storage/sqlite_transaction.h"

// What a transaction does with readings, and with what is kept of each meter's readings.
namespace wattmint::storage {
namespace {

using domain::MintState;

std::optional<std::string_view> NothingIfEmpty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

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
                                                                   const store::MintStart& mint,
                                                                   domain::Time accept_time) {
  const bool is_parked = mint.state == MintState::kParked;
  WATTMINT_ASSERT(
      is_parked || mint.state == MintState::kPending || mint.state == MintState::kNotApplicable,
      "a new reading cannot be {}", domain::Name(mint.state));
  WATTMINT_ASSERT(is_parked != mint.reason.empty(), "only what is PARKED needs a reason");
  return Do("storing a reading", [&]() -> absl::StatusOr<domain::ReadingId> {
    const std::int64_t row = last_row_ + 1;
    const std::int64_t tenure_ref = TenureOf(meter, row);
    Run(writer_.insert_reading, row, meter.meter_ref, tenure_ref, reading.start, reading.length,
        reading.energy.nano_kwh(), reading.quality, reading.channel, accept_time)
        .Execute();
    if (mint.state == MintState::kPending) Run(writer_.insert_task, row, accept_time).Execute();
    if (is_parked) InsertTaskRow(row, mint, accept_time);
    InsertExtras(row, meter, reading);
    const bool generated = reading.channel == domain::Channel::kGeneration;
    sums_.AddReading(tenure_ref, generated ? reading.energy.nano_kwh() : 0, mint.state);
    last_row_ = row;
    return domain::ReadingId(accept_time, writer_.salt, row);
  });
}

void SqliteTransaction::InsertTaskRow(std::int64_t row, const store::MintStart& mint,
                                      domain::Time time) const {
  static const std::string kSql =
      "INSERT INTO mint_tasks (task_id, state, next_attempt, update_time, reason)"
      " VALUES (?1, ?2, ?3, ?3, ?4)";
  Run(writer_.connection->Prepared(kSql), row, mint.state, time, mint.reason).Execute();
}

absl::StatusOr<std::int64_t> SqliteTransaction::CorrectReading(std::int64_t row,
                                                               const domain::Correction& change) {
  static const std::string kChange =
      "UPDATE readings SET energy = ?, quality = ? WHERE row = ? AND energy = ? AND quality = ?"
      " RETURNING tenure_ref, channel";
  static const std::string kKeep =
      "INSERT INTO corrections (row, kind, time, user_id, reason, old_energy, old_quality, energy,"
      " quality) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
  return Do("correcting a reading", [&]() -> absl::StatusOr<std::int64_t> {
    Run changed(writer_.connection->Prepared(kChange), change.energy.nano_kwh(), change.quality,
                row, change.old_energy.nano_kwh(), change.old_quality);
    if (!changed.Next()) return base::Internal("reading {} is not as it was", row);
    if (changed.Enum<domain::Channel>(1) == domain::Channel::kGeneration) {
      sums_.AddEnergy(changed.Int64(0), change.energy.nano_kwh() - change.old_energy.nano_kwh());
    }
    Run(writer_.connection->Prepared(kKeep), row, change.kind, change.time, change.user_id,
        change.reason, change.old_energy.nano_kwh(), change.old_quality, change.energy.nano_kwh(),
        change.quality)
        .Execute();
    return writer_.connection->database().getLastInsertRowid();
  });
}

absl::StatusOr<std::optional<domain::Correction>> SqliteTransaction::FindLastCorrection(
    std::int64_t row) {
  using Answer = absl::StatusOr<std::optional<domain::Correction>>;
  static const std::string kSql =
      std::string(kSelectCorrection) + " WHERE row = ? ORDER BY correction_id DESC LIMIT 1";
  return Do("looking for a correction", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), row);
    if (!run.Next()) return std::nullopt;
    return ReadCorrection(run);
  });
}

absl::Status SqliteTransaction::InsertTask(std::int64_t row, const store::MintStart& mint,
                                           domain::Time time) {
  WATTMINT_ASSERT(mint.state == MintState::kPending || mint.state == MintState::kRejected,
                  "a task cannot begin as {}", domain::Name(mint.state));
  static const std::string kTenure = "SELECT tenure_ref FROM readings WHERE row = ?";
  return Do("making a mint task", [&]() -> absl::Status {
    Run run(writer_.connection->Prepared(kTenure), row);
    if (!run.Next()) return base::Internal("reading {} is not there", row);
    InsertTaskRow(row, mint, time);
    sums_.AddTask(run.Int64(0), -1, MintState::kNotApplicable, 0, 0);
    sums_.AddTask(run.Int64(0), 1, mint.state, 0, 0);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<store::StoredReading>> SqliteTransaction::FindStored(
    std::int64_t row) {
  using Answer = absl::StatusOr<std::optional<store::StoredReading>>;
  static const std::string kSql = std::string(kSelectReading) + " WHERE r.row = ?";
  return Do("looking for a reading", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), row);
    if (!run.Next()) return std::nullopt;
    return ReadStoredReading(run, writer_.salt);
  });
}

absl::StatusOr<std::optional<domain::PowerPeak>> SqliteTransaction::FindPeak(
    std::int64_t meter_ref) {
  using Answer = absl::StatusOr<std::optional<domain::PowerPeak>>;
  static const std::string kSql =
      "SELECT first_start, milliwatts FROM meter_peaks WHERE meter_ref = ?";
  return Do("reading a meter's peak", [&]() -> Answer {
    Run run(writer_.connection->Prepared(kSql), meter_ref);
    if (!run.Next()) return std::nullopt;
    return domain::PowerPeak{run.Time(0), run.Int64(1)};
  });
}

absl::Status SqliteTransaction::RaisePeak(std::int64_t meter_ref, const domain::PowerPeak& peak) {
  static const std::string kSql =
      "INSERT INTO meter_peaks (meter_ref, first_start, milliwatts) VALUES (?1, ?2, ?3)"
      " ON CONFLICT (meter_ref) DO UPDATE SET milliwatts = max(milliwatts, ?3)";
  return Do("storing a meter's peak", [&] {
    Run(writer_.connection->Prepared(kSql), meter_ref, peak.first_start, peak.milliwatts).Execute();
    return absl::OkStatus();
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

}  // namespace wattmint::storage
