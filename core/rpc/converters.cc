// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/converters.h"

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"
#include "core/rpc/status_convert.h"
#include "core/wire/convert.h"

#include <charconv>
#include <utility>

namespace wattmint::rpc {
namespace {

google::protobuf::Duration DurationToProto(domain::Duration duration) {
  google::protobuf::Duration out;
  out.set_seconds(duration.count() / 1'000'000);
  out.set_nanos(static_cast<std::int32_t>(duration.count() % 1'000'000) * 1'000);
  return out;
}

v1::Telemetry ToProto(const domain::Telemetry& telemetry) {
  v1::Telemetry out;
  if (telemetry.voltage_volts) out.set_voltage_volts(*telemetry.voltage_volts);
  if (telemetry.current_amperes) out.set_current_amperes(*telemetry.current_amperes);
  if (telemetry.power_watts) out.set_power_watts(*telemetry.power_watts);
  if (telemetry.frequency_hertz) out.set_frequency_hertz(*telemetry.frequency_hertz);
  return out;
}

v1::Discrepancy ToProto(const mint::Discrepancy& discrepancy) {
  v1::Discrepancy out;
  out.set_kind(static_cast<v1::DiscrepancyKind>(discrepancy.kind));
  out.set_idempotency_key(discrepancy.idempotency_key);
  out.set_task_id(discrepancy.task_id);
  if (discrepancy.task_state) {
    out.set_task_state(static_cast<v1::MintState>(*discrepancy.task_state));
  }
  out.set_ledger_height(discrepancy.ledger_height);
  out.set_log_base_units(discrepancy.log_tokens.base_units());
  out.set_ledger_base_units(discrepancy.ledger_tokens.base_units());
  return out;
}

template <typename Values, typename Out>
void CopyTo(const Values& values, Out& out) {
  out.Add(values.begin(), values.end());
}

constexpr std::string_view kBadToken = "is no token of this list";

}  // namespace

v1::SubmitResult ToProto(const ingest::Answer& answer) {
  v1::SubmitResult out;
  if (answer.reading_id.has_value()) out.set_reading_id(answer.reading_id->ToString());
  switch (answer.outcome) {
    case ingest::Outcome::kAccepted:
      out.set_outcome(v1::SUBMIT_OUTCOME_ACCEPTED);
      break;
    case ingest::Outcome::kExists:
      out.set_outcome(v1::SUBMIT_OUTCOME_EXISTS);
      break;
    case ingest::Outcome::kRejected:
      out.set_outcome(v1::SUBMIT_OUTCOME_REJECTED);
      out.set_rejection(static_cast<v1::Rejection>(answer.refusal.rejection));
      out.set_message(answer.refusal.message);
      return out;
  }
  out.set_mint_state(static_cast<v1::MintState>(answer.mint_state));
  out.set_message(answer.refusal.message);
  return out;
}

v1::SubmitCounts CountsOf(std::span<const ingest::Answer> answers) {
  v1::SubmitCounts counts;
  for (const ingest::Answer& answer : answers) {
    switch (answer.outcome) {
      case ingest::Outcome::kAccepted:
        counts.set_accepted(counts.accepted() + 1);
        if (answer.mint_state == domain::MintState::kNotApplicable) {
          counts.set_not_applicable(counts.not_applicable() + 1);
        }
        if (answer.mint_state == domain::MintState::kParked) {
          counts.set_quarantined(counts.quarantined() + 1);
        }
        break;
      case ingest::Outcome::kExists:
        counts.set_existed(counts.existed() + 1);
        break;
      case ingest::Outcome::kRejected:
        counts.set_rejected(counts.rejected() + 1);
        break;
    }
  }
  return counts;
}

v1::Reading ToProto(const domain::AcceptedReading& accepted) {
  const domain::Reading& reading = accepted.reading;
  v1::Reading out;
  out.set_reading_id(accepted.reading_id.ToString());
  out.set_meter_id(reading.meter_id);
  out.set_user_id(accepted.user_id);
  out.set_energy_kwh(reading.energy.ToString());
  wire::ToProto(reading.start, *out.mutable_interval_start());
  *out.mutable_interval() = DurationToProto(reading.length);
  out.set_quality(static_cast<v1::ReadingQuality>(reading.quality));
  out.set_channel(static_cast<v1::EnergyChannel>(reading.channel));
  if (!reading.telemetry.IsEmpty()) *out.mutable_telemetry() = ToProto(reading.telemetry);
  out.set_meter_signature(reading.meter_signature);
  out.set_meter_counter(reading.meter_counter);
  out.set_meter_public_key(accepted.public_key);
  out.set_request_id(reading.request_id);
  wire::ToProto(accepted.accept_time, *out.mutable_accept_time());
  out.set_mint_state(static_cast<v1::MintState>(accepted.mint_state));
  out.set_task_id(accepted.task_id);
  return out;
}

v1::Correction ToProto(const domain::Correction& correction) {
  v1::Correction out;
  out.set_correction_id(correction.correction_id);
  out.set_kind(static_cast<v1::CorrectionKind>(correction.kind));
  wire::ToProto(correction.time, *out.mutable_time());
  out.set_user_id(correction.user_id);
  out.set_reason(correction.reason);
  out.set_old_energy_kwh(correction.old_energy.ToString());
  out.set_old_quality(static_cast<v1::ReadingQuality>(correction.old_quality));
  out.set_energy_kwh(correction.energy.ToString());
  out.set_quality(static_cast<v1::ReadingQuality>(correction.quality));
  return out;
}

v1::MeterStats ToProto(const store::MeterSums& sums) {
  v1::MeterStats out;
  out.set_meter_id(sums.meter_id);
  out.set_readings(sums.readings);
  out.set_not_applicable(sums.not_applicable);
  out.set_minted(sums.minted);
  out.set_energy_kwh(domain::Energy::FromNanoKwh(sums.energy_nano_kwh).ToString());
  out.set_minted_kwh(domain::Energy::FromNanoKwh(sums.minted_nano_kwh).ToString());
  out.set_minted_base_units(sums.minted_base_units);
  return out;
}

v1::Meter ToProto(const domain::Meter& meter) {
  v1::Meter out;
  out.set_meter_id(meter.meter_id);
  out.set_user_id(meter.user_id);
  out.set_wallet_address(meter.wallet_address);
  out.set_public_key(meter.public_key);
  wire::ToProto(meter.register_time, *out.mutable_register_time());
  wire::ToProto(meter.update_time, *out.mutable_update_time());
  return out;
}

v1::MintTask ToProto(const domain::MintTask& task) {
  v1::MintTask out;
  out.set_task_id(task.task_id);
  out.set_reading_id(task.reading_id.ToString());
  out.set_meter_id(task.meter_id);
  out.set_user_id(task.user_id);
  out.set_state(static_cast<v1::MintState>(task.state));
  out.set_energy_kwh(task.energy.ToString());
  out.set_base_units(task.tokens.base_units());
  out.set_wallet_address(task.wallet_address);
  out.set_transaction_signature(task.transaction_signature);
  out.set_batch_id(task.batch_id);
  out.set_attempts(task.attempts);
  out.set_reason(task.reason);
  wire::ToProto(task.create_time, *out.mutable_create_time());
  wire::ToProto(task.update_time, *out.mutable_update_time());
  out.set_sends(task.sends);
  wire::ToProto(task.next_attempt, *out.mutable_next_attempt_time());
  return out;
}

v1::ReconcileResponse ToProto(const mint::ReconcileSchedule::Report& report) {
  const mint::Reconciliation& found = report.found;
  v1::ReconcileResponse out;
  wire::ToProto(report.start_time, *out.mutable_start_time());
  wire::ToProto(report.end_time, *out.mutable_end_time());
  out.set_tasks_checked(found.tasks_checked);
  out.set_mints_checked(found.mints_checked);
  out.set_discrepancies_count(found.discrepancies_count);
  for (const mint::Discrepancy& discrepancy : found.discrepancies) {
    *out.add_discrepancies() = ToProto(discrepancy);
  }
  out.set_ledger_base_units(found.on_ledger.base_units());
  out.set_confirmed_base_units(found.confirmed.base_units());
  out.set_in_work_base_units(found.in_work.base_units());
  out.set_unexplained_base_units(found.UnexplainedBaseUnits());
  out.set_balanced(found.IsBalanced());
  out.set_healthy(found.IsHealthy());
  return out;
}

v1::ApiKey ToProto(const access::ApiKeyTable::Listed& key) {
  const store::ApiKeyRecord& record = key.record;
  v1::ApiKey out;
  out.set_key_id(record.key_id);
  out.set_user_id(record.user_id);
  RolesToProto(access::RoleSet::FromBits(record.roles), *out.mutable_roles());
  out.set_display_name(record.display_name);
  wire::ToProto(record.create_time, *out.mutable_create_time());
  if (record.expire_time) wire::ToProto(*record.expire_time, *out.mutable_expire_time());
  if (record.revoke_time) wire::ToProto(*record.revoke_time, *out.mutable_revoke_time());
  if (key.last_used_at) wire::ToProto(*key.last_used_at, *out.mutable_last_use_time());
  out.set_requests_per_second(record.requests_per_second);
  return out;
}

v1::EventFilter ToProto(const domain::EventFilter& filter) {
  v1::EventFilter out;
  for (const auto type : filter.types) out.add_types(static_cast<v1::EventType>(type));
  CopyTo(filter.meter_ids, *out.mutable_meter_ids());
  CopyTo(filter.user_ids, *out.mutable_user_ids());
  CopyTo(filter.wallet_addresses, *out.mutable_wallet_addresses());
  CopyTo(filter.batch_ids, *out.mutable_batch_ids());
  CopyTo(filter.task_ids, *out.mutable_task_ids());
  if (filter.energy_min) out.set_min_energy_kwh(filter.energy_min->ToString());
  if (filter.energy_max) out.set_max_energy_kwh(filter.energy_max->ToString());
  for (const auto state : filter.mint_states)
    out.add_mint_states(static_cast<v1::MintState>(state));
  return out;
}

void RolesToProto(access::RoleSet roles, google::protobuf::RepeatedField<int>& out) {
  for (const access::Role role : access::kAllRoles) {
    if (roles.Has(role)) out.Add(static_cast<int>(role));
  }
}

std::string PageTokenOf(std::string_view list, std::string_view after) {
  std::string text(list);
  text += ':';
  text += after;
  return base::EncodeBase64(base::AsBytes(text), base::Base64::kUrlSafe);
}

absl::StatusOr<std::string> ReadPageToken(std::string_view list, std::string_view token) {
  if (token.empty()) return std::string();
  const auto decoded = base::DecodeBase64(token, base::Base64::kUrlSafe);
  if (!decoded.ok()) return BadField("page_token", kBadToken);
  std::string_view text = base::AsText(*decoded);
  if (!text.starts_with(list) || !text.substr(list.size()).starts_with(':')) {
    return BadField("page_token", kBadToken);
  }
  return std::string(text.substr(list.size() + 1));
}

absl::StatusOr<std::int64_t> ReadPageTokenNumber(std::string_view list, std::string_view token) {
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, ReadPageToken(list, token));
  std::int64_t number = 0;
  if (text.empty()) return number;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    return BadField("page_token", kBadToken);
  }
  return number;
}

}  // namespace wattmint::rpc
