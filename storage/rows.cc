// SPDX-License-Identifier: Apache-2.0
#include "storage/rows.h"

namespace wattmint::storage {
namespace {

// A reading without a task had nothing to mint.
domain::MintState StateOrNotApplicable(const Run& run, int column) {
  return run.IsNull(column) ? domain::MintState::kNotApplicable
                            : run.Enum<domain::MintState>(column);
}

}  // namespace

domain::MintTask ReadTask(const Run& run, std::uint16_t salt) {
  domain::MintTask task;
  task.task_id = run.Int64(0);
  task.create_time = run.Time(1);
  task.reading_id = domain::ReadingId(task.create_time, salt, task.task_id);
  task.meter_id = run.Text(2);
  task.user_id = run.Text(3);
  task.energy = domain::Energy::FromNanoKwh(run.Int64(4));
  task.interval_start = run.Time(5);
  task.state = run.Enum<domain::MintState>(6);
  task.tokens = domain::TokenAmount::FromBaseUnits(run.Int64(7));
  task.wallet_address = run.Text(8);
  task.signed_bytes = run.Text(9);
  task.transaction_signature = run.Text(10);
  task.expiry_height = run.Int64(11);
  task.batch_id = run.Text(12);
  task.attempts = run.Int32(13);
  task.sends = run.Int32(14);
  task.next_attempt = run.Time(15);
  task.by_hand = run.Int32(16) != 0;
  task.reason = run.Text(17);
  task.update_time = run.Time(18);
  return task;
}

domain::AcceptedReading ReadReading(const Run& run, std::uint16_t salt) {
  domain::AcceptedReading accepted;
  accepted.row = run.Int64(0);
  accepted.accept_time = run.Time(1);
  accepted.reading_id = domain::ReadingId(accepted.accept_time, salt, accepted.row);
  domain::Reading& reading = accepted.reading;
  reading.meter_id = run.Text(2);
  reading.energy = domain::Energy::FromNanoKwh(run.Int64(3));
  reading.start = run.Time(4);
  reading.length = run.Duration(5);
  reading.quality = run.Enum<domain::Quality>(6);
  reading.channel = run.Enum<domain::Channel>(7);
  accepted.user_id = run.Text(8);
  accepted.wallet_address = run.Text(9);
  accepted.mint_state = StateOrNotApplicable(run, 10);
  accepted.task_id = run.IsNull(10) ? 0 : accepted.row;
  reading.request_id = run.Text(11);
  reading.meter_signature = run.Text(12);
  reading.telemetry = {run.OptionalDouble(13), run.OptionalDouble(14), run.OptionalDouble(15),
                       run.OptionalDouble(16)};
  reading.meter_counter = run.Int64(17);
  accepted.public_key = run.Text(18);
  return accepted;
}

store::StoredReading ReadStoredReading(const Run& run, std::uint16_t salt) {
  return {run.Int64(19), ReadReading(run, salt)};
}

store::KnownReading ReadKnownReading(const Run& run, std::uint16_t salt) {
  return {domain::ReadingId(run.Time(1), salt, run.Int64(0)),
          domain::Energy::FromNanoKwh(run.Int64(2)), run.Enum<domain::Quality>(3),
          run.Enum<domain::Channel>(4), StateOrNotApplicable(run, 5)};
}

domain::Correction ReadCorrection(const Run& run) {
  return {run.Int64(0),
          run.Enum<domain::CorrectionKind>(1),
          run.Time(2),
          run.Text(3),
          run.Text(4),
          domain::Energy::FromNanoKwh(run.Int64(5)),
          run.Enum<domain::Quality>(6),
          domain::Energy::FromNanoKwh(run.Int64(7)),
          run.Enum<domain::Quality>(8)};
}

domain::Meter ReadMeter(const Run& run) {
  return {run.Int64(0), run.Text(1), run.Text(2), run.Text(3),
          run.Time(4),  run.Time(5), run.Text(6)};
}

store::ApiKeyRecord ReadApiKey(const Run& run) {
  store::ApiKeyRecord key;
  key.key_id = run.Text(0);
  key.sha256 = run.Bytes<32>(1);
  key.user_id = run.Text(2);
  key.roles = static_cast<std::uint32_t>(run.Int64(3));
  key.display_name = run.Text(4);
  key.create_time = run.Time(5);
  key.expire_time = run.OptionalTime(6);
  key.revoke_time = run.OptionalTime(7);
  key.requests_per_second = run.Int32(8);
  return key;
}

store::AnnouncementRecord ReadAnnouncement(const Run& run) {
  return {.request_id = run.Text(0),
          .sha256 = run.Bytes<32>(1),
          .sequence = run.Int64(2),
          .time = run.Time(3)};
}

}  // namespace wattmint::storage
