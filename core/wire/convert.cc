// SPDX-License-Identifier: Apache-2.0
#include "core/wire/convert.h"

namespace wattmint::wire {
namespace {

using domain::Energy;
using domain::ReadingId;
using domain::TokenAmount;

template <typename To, typename From>
To As(From value) {
  return static_cast<To>(static_cast<int>(value));
}

// Without what the event said before, if it is used again.
template <typename M>
M& Fresh(M* message) {
  message->Clear();
  return *message;
}

// The members that most facts share, under the same names on both sides.
template <typename F, typename M>
void SetShared(const F& fact, M& out) {
  if constexpr (requires { fact.user_id; }) out.set_user_id(fact.user_id);
  if constexpr (requires { fact.wallet_address; }) out.set_wallet_address(fact.wallet_address);
  if constexpr (requires { fact.meter_id; }) out.set_meter_id(fact.meter_id);
  if constexpr (requires { fact.public_key; }) out.set_public_key(fact.public_key);
  if constexpr (requires { fact.batch_id; }) out.set_batch_id(fact.batch_id);
  if constexpr (requires { fact.task_id; }) out.set_task_id(fact.task_id);
  if constexpr (requires { fact.energy; }) out.set_energy_nano_kwh(fact.energy.nano_kwh());
  if constexpr (requires { fact.tokens; }) out.set_base_units(fact.tokens.base_units());
  if constexpr (requires { fact.reading_id; }) out.set_reading_id(fact.reading_id.ToString());
  if constexpr (requires { fact.transaction_signature; }) {
    out.set_transaction_signature(fact.transaction_signature);
  }
}

// False when an id is none.
template <typename M, typename F>
bool GetShared(const M& message, F& out) {
  if constexpr (requires { out.user_id; }) out.user_id = message.user_id();
  if constexpr (requires { out.wallet_address; }) out.wallet_address = message.wallet_address();
  if constexpr (requires { out.meter_id; }) out.meter_id = message.meter_id();
  if constexpr (requires { out.public_key; }) out.public_key = message.public_key();
  if constexpr (requires { out.batch_id; }) out.batch_id = message.batch_id();
  if constexpr (requires { out.task_id; }) out.task_id = message.task_id();
  if constexpr (requires { out.energy; }) {
    out.energy = Energy::FromNanoKwh(message.energy_nano_kwh());
  }
  if constexpr (requires { out.tokens; }) {
    out.tokens = TokenAmount::FromBaseUnits(message.base_units());
  }
  if constexpr (requires { out.transaction_signature; }) {
    out.transaction_signature = message.transaction_signature();
  }
  if constexpr (requires { out.reading_id; }) {
    const auto reading_id = ReadingId::Parse(message.reading_id());
    if (!reading_id) return false;
    out.reading_id = *reading_id;
  }
  return true;
}

void Set(const domain::MeterReadingReceived& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_meter_reading_received());
  SetShared(fact, out);
  ToProto(fact.interval_start, *out.mutable_interval_start());
  out.set_interval_us(fact.interval.count());
  out.set_quality(As<v1::ReadingQuality>(fact.quality));
  out.set_channel(As<v1::EnergyChannel>(fact.channel));
  out.set_mint_state(As<v1::MintState>(fact.mint_state));
}

bool Get(const v1::MeterReadingReceived& message, domain::MeterReadingReceived& out) {
  out.interval_start = FromProto(message.interval_start());
  out.interval = domain::Duration(message.interval_us());
  out.quality = As<domain::Quality>(message.quality());
  out.channel = As<domain::Channel>(message.channel());
  out.mint_state = As<domain::MintState>(message.mint_state());
  return GetShared(message, out);
}

void Set(const domain::MeterReadingValidationFailed& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_meter_reading_validation_failed());
  SetShared(fact, out);
  out.set_rejection(As<v1::Rejection>(fact.refusal.rejection));
  out.set_message(fact.refusal.message);
  if (fact.interval_start) ToProto(*fact.interval_start, *out.mutable_interval_start());
}

bool Get(const v1::MeterReadingValidationFailed& message,
         domain::MeterReadingValidationFailed& out) {
  out.refusal = {As<domain::Rejection>(message.rejection()), message.message()};
  if (message.has_interval_start()) out.interval_start = FromProto(message.interval_start());
  return GetShared(message, out);
}

void Set(const domain::TokensMinted& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_tokens_minted());
  SetShared(fact, out);
  ToProto(fact.interval_start, *out.mutable_interval_start());
}

bool Get(const v1::TokensMinted& message, domain::TokensMinted& out) {
  out.interval_start = FromProto(message.interval_start());
  return GetShared(message, out);
}

void Set(const domain::BatchMintingCompleted& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_batch_minting_completed());
  SetShared(fact, out);
  out.set_total_readings(fact.total_readings);
  out.set_successful_mints(fact.successful_mints);
  out.set_failed_mints(fact.failed_mints);
  out.set_deferred_mints(fact.deferred_mints);
  out.set_duplicate_mints(fact.duplicate_mints);
}

bool Get(const v1::BatchMintingCompleted& message, domain::BatchMintingCompleted& out) {
  out.total_readings = message.total_readings();
  out.successful_mints = message.successful_mints();
  out.failed_mints = message.failed_mints();
  out.deferred_mints = message.deferred_mints();
  out.duplicate_mints = message.duplicate_mints();
  return GetShared(message, out);
}

void Set(const domain::TaskCreated& fact, v1::Event& event) {
  SetShared(fact, Fresh(event.mutable_task_created()));
}

bool Get(const v1::TaskCreated& message, domain::TaskCreated& out) {
  return GetShared(message, out);
}

void Set(const domain::TaskUpdated& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_task_updated());
  SetShared(fact, out);
  out.set_ledger_height(fact.ledger_height);
}

bool Get(const v1::TaskUpdated& message, domain::TaskUpdated& out) {
  out.ledger_height = message.ledger_height();
  return GetShared(message, out);
}

void Set(const domain::TaskStatusChanged& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_task_status_changed());
  SetShared(fact, out);
  out.set_old_state(As<v1::MintState>(fact.old_state));
  out.set_new_state(As<v1::MintState>(fact.new_state));
  out.set_reason(fact.reason);
}

bool Get(const v1::TaskStatusChanged& message, domain::TaskStatusChanged& out) {
  out.old_state = As<domain::MintState>(message.old_state());
  out.new_state = As<domain::MintState>(message.new_state());
  out.reason = message.reason();
  return GetShared(message, out);
}

void Set(const domain::TaskFeeUpdated& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_task_fee_updated());
  SetShared(fact, out);
  out.set_old_fee(fact.old_fee);
  out.set_new_fee(fact.new_fee);
}

bool Get(const v1::TaskFeeUpdated& message, domain::TaskFeeUpdated& out) {
  out.old_fee = message.old_fee();
  out.new_fee = message.new_fee();
  return GetShared(message, out);
}

void Set(const domain::MeterChanged& fact, v1::Event& event) {
  SetShared(fact, Fresh(event.mutable_meter_changed()));
}

bool Get(const v1::MeterChanged& message, domain::MeterChanged& out) {
  return GetShared(message, out);
}

void Set(const domain::ApiKeyChanged& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_api_key_changed());
  SetShared(fact, out);
  out.set_key_id(fact.key_id);
  out.set_revoked(fact.revoked);
}

bool Get(const v1::ApiKeyChanged& message, domain::ApiKeyChanged& out) {
  out.key_id = message.key_id();
  out.revoked = message.revoked();
  return GetShared(message, out);
}

void Set(const domain::MintingSwitched& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_minting_switched());
  out.set_paused(fact.paused);
  out.set_reason(fact.reason);
}

bool Get(const v1::MintingSwitched& message, domain::MintingSwitched& out) {
  out.paused = message.paused();
  out.reason = message.reason();
  return true;
}

void Set(const domain::ReadingCorrected& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_reading_corrected());
  SetShared(fact, out);
  ToProto(fact.interval_start, *out.mutable_interval_start());
  out.set_old_energy_nano_kwh(fact.old_energy.nano_kwh());
  out.set_quality(As<v1::ReadingQuality>(fact.quality));
  out.set_old_quality(As<v1::ReadingQuality>(fact.old_quality));
  out.set_reason(fact.reason);
  out.set_correction_id(fact.correction_id);
  out.set_mint_state(As<v1::MintState>(fact.mint_state));
}

bool Get(const v1::ReadingCorrected& message, domain::ReadingCorrected& out) {
  out.interval_start = FromProto(message.interval_start());
  out.old_energy = Energy::FromNanoKwh(message.old_energy_nano_kwh());
  out.quality = As<domain::Quality>(message.quality());
  out.old_quality = As<domain::Quality>(message.old_quality());
  out.reason = message.reason();
  out.correction_id = message.correction_id();
  out.mint_state = As<domain::MintState>(message.mint_state());
  return GetShared(message, out);
}

void Set(const domain::ReadingWithdrawn& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_reading_withdrawn());
  SetShared(fact, out);
  ToProto(fact.interval_start, *out.mutable_interval_start());
  out.set_reason(fact.reason);
  out.set_correction_id(fact.correction_id);
}

bool Get(const v1::ReadingWithdrawn& message, domain::ReadingWithdrawn& out) {
  out.interval_start = FromProto(message.interval_start());
  out.reason = message.reason();
  out.correction_id = message.correction_id();
  return GetShared(message, out);
}

void Set(const domain::SystemAlert& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_system_alert());
  out.set_kind(fact.kind);
  out.set_severity(As<v1::Severity>(fact.severity));
  out.set_message(fact.message);
}

bool Get(const v1::SystemAlert& message, domain::SystemAlert& out) {
  out.kind = message.kind();
  out.severity = As<domain::Severity>(message.severity());
  out.message = message.message();
  return true;
}

void Set(const domain::Notification& fact, v1::Event& event) {
  auto& out = Fresh(event.mutable_notification());
  SetShared(fact, out);
  out.set_level(As<v1::Severity>(fact.level));
  out.set_message(fact.message);
}

bool Get(const v1::Notification& message, domain::Notification& out) {
  out.level = As<domain::Severity>(message.level());
  out.message = message.message();
  return GetShared(message, out);
}

template <typename F, typename M>
std::optional<domain::Fact> Take(const M& message) {
  F fact;
  if (!Get(message, fact)) return std::nullopt;
  return fact;
}

}  // namespace

void ToProto(domain::Time time, google::protobuf::Timestamp& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(static_cast<int>((time - seconds).count() * 1'000));
}

domain::Time FromProto(const google::protobuf::Timestamp& time) {
  return domain::Time(std::chrono::seconds(time.seconds()) +
                      domain::Duration(time.nanos() / 1'000));
}

void FactToProto(const domain::Fact& fact, v1::Event& out) {
  std::visit([&out](const auto& known) { Set(known, out); }, fact);
}

std::optional<domain::Fact> FactFromProto(const v1::Event& message) {
  switch (message.fact_case()) {
    case v1::Event::kMeterReadingReceived:
      return Take<domain::MeterReadingReceived>(message.meter_reading_received());
    case v1::Event::kMeterReadingValidationFailed:
      return Take<domain::MeterReadingValidationFailed>(message.meter_reading_validation_failed());
    case v1::Event::kTokensMinted:
      return Take<domain::TokensMinted>(message.tokens_minted());
    case v1::Event::kBatchMintingCompleted:
      return Take<domain::BatchMintingCompleted>(message.batch_minting_completed());
    case v1::Event::kTaskCreated:
      return Take<domain::TaskCreated>(message.task_created());
    case v1::Event::kTaskUpdated:
      return Take<domain::TaskUpdated>(message.task_updated());
    case v1::Event::kTaskStatusChanged:
      return Take<domain::TaskStatusChanged>(message.task_status_changed());
    case v1::Event::kTaskFeeUpdated:
      return Take<domain::TaskFeeUpdated>(message.task_fee_updated());
    case v1::Event::kMeterChanged:
      return Take<domain::MeterChanged>(message.meter_changed());
    case v1::Event::kApiKeyChanged:
      return Take<domain::ApiKeyChanged>(message.api_key_changed());
    case v1::Event::kMintingSwitched:
      return Take<domain::MintingSwitched>(message.minting_switched());
    case v1::Event::kReadingCorrected:
      return Take<domain::ReadingCorrected>(message.reading_corrected());
    case v1::Event::kReadingWithdrawn:
      return Take<domain::ReadingWithdrawn>(message.reading_withdrawn());
    case v1::Event::kSystemAlert:
      return Take<domain::SystemAlert>(message.system_alert());
    case v1::Event::kNotification:
      return Take<domain::Notification>(message.notification());
    case v1::Event::FACT_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace wattmint::wire
