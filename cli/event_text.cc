// SPDX-License-Identifier: Apache-2.0
#include "cli/event_text.h"

#include "cli/message_tables.h"
#include "core/base/decimal.h"
#include "core/domain/event.h"

#include <fmt/format.h>

namespace wattmint::cli {
namespace {

constexpr int kKwhDecimals = 9;

std::string Kwh(std::int64_t nano_kwh) { return base::FormatDecimal(nano_kwh, kKwhDecimals); }

// Owner and meter, as far as the event has them.
template <typename Fact>
std::string Whose(const Fact& fact) {
  return fmt::format("{} {}", fact.user_id(), fact.meter_id());
}

std::string Detail(const v1::MeterReadingReceived& e) {
  return fmt::format("{}  {} kWh at {}, {}", Whose(e), Kwh(e.energy_nano_kwh()),
                     TimeText(e.interval_start()), MintStateText(e.mint_state()));
}
std::string Detail(const v1::MeterReadingValidationFailed& e) {
  return fmt::format("{}  {} kWh, {}: {}", Whose(e), Kwh(e.energy_nano_kwh()),
                     ShortName(v1::Rejection_Name(e.rejection()), "REJECTION_"), e.message());
}
std::string Detail(const v1::TokensMinted& e) {
  return fmt::format("{}  {} kWh = {} GRX to {}, task {}", Whose(e), Kwh(e.energy_nano_kwh()),
                     GrxText(e.base_units()), e.wallet_address(), e.task_id());
}
std::string Detail(const v1::BatchMintingCompleted& e) {
  return fmt::format("{} of {} minted, {} failed, {} deferred, {} duplicate, batch {}",
                     e.successful_mints(), e.total_readings(), e.failed_mints(), e.deferred_mints(),
                     e.duplicate_mints(), e.batch_id());
}
std::string Detail(const v1::TaskCreated& e) {
  return fmt::format("{}  task {}, {} kWh", Whose(e), e.task_id(), Kwh(e.energy_nano_kwh()));
}
std::string Detail(const v1::TaskUpdated& e) {
  return fmt::format("{}  task {}, {} GRX, {}", Whose(e), e.task_id(), GrxText(e.base_units()),
                     e.transaction_signature());
}
std::string Detail(const v1::TaskStatusChanged& e) {
  return fmt::format("{}  task {}, {} to {}{}{}", Whose(e), e.task_id(),
                     MintStateText(e.old_state()), MintStateText(e.new_state()),
                     e.reason().empty() ? "" : ": ", e.reason());
}
std::string Detail(const v1::TaskFeeUpdated& e) {
  return fmt::format("{}  task {}, fee {} to {}", Whose(e), e.task_id(), e.old_fee(), e.new_fee());
}
std::string Detail(const v1::MeterChanged& e) {
  return fmt::format("{}  wallet {}{}{}", Whose(e), e.wallet_address(),
                     e.public_key().empty() ? "" : "  key ", e.public_key());
}
std::string Detail(const v1::ApiKeyChanged& e) {
  return fmt::format("{}  key {} {}", e.user_id(), e.key_id(), e.revoked() ? "revoked" : "made");
}
std::string Detail(const v1::MintingSwitched& e) {
  return e.paused() ? "paused: " + e.reason() : "resumed";
}
std::string Detail(const v1::ReadingCorrected& e) {
  return fmt::format("{}  {} kWh instead of {} at {}, {}: {}", Whose(e), Kwh(e.energy_nano_kwh()),
                     Kwh(e.old_energy_nano_kwh()), TimeText(e.interval_start()),
                     MintStateText(e.mint_state()), e.reason());
}
std::string Detail(const v1::ReadingWithdrawn& e) {
  return fmt::format("{}  {} kWh at {}: {}", Whose(e), Kwh(e.energy_nano_kwh()),
                     TimeText(e.interval_start()), e.reason());
}

std::string SeverityText(v1::Severity severity) {
  return ShortName(v1::Severity_Name(severity), "SEVERITY_");
}
std::string Detail(const v1::SystemAlert& e) {
  return fmt::format("{}  {}: {}", SeverityText(e.severity()), e.kind(), e.message());
}
std::string Detail(const v1::Notification& e) {
  return fmt::format("{}  {}: {}", e.user_id(), SeverityText(e.level()), e.message());
}

std::string FactText(const v1::Event& event) {
  switch (event.fact_case()) {
    case v1::Event::kMeterReadingReceived:
      return Detail(event.meter_reading_received());
    case v1::Event::kMeterReadingValidationFailed:
      return Detail(event.meter_reading_validation_failed());
    case v1::Event::kTokensMinted:
      return Detail(event.tokens_minted());
    case v1::Event::kBatchMintingCompleted:
      return Detail(event.batch_minting_completed());
    case v1::Event::kTaskCreated:
      return Detail(event.task_created());
    case v1::Event::kTaskUpdated:
      return Detail(event.task_updated());
    case v1::Event::kTaskStatusChanged:
      return Detail(event.task_status_changed());
    case v1::Event::kTaskFeeUpdated:
      return Detail(event.task_fee_updated());
    case v1::Event::kMeterChanged:
      return Detail(event.meter_changed());
    case v1::Event::kApiKeyChanged:
      return Detail(event.api_key_changed());
    case v1::Event::kMintingSwitched:
      return Detail(event.minting_switched());
    case v1::Event::kReadingCorrected:
      return Detail(event.reading_corrected());
    case v1::Event::kReadingWithdrawn:
      return Detail(event.reading_withdrawn());
    case v1::Event::kSystemAlert:
      return Detail(event.system_alert());
    case v1::Event::kNotification:
      return Detail(event.notification());
    case v1::Event::FACT_NOT_SET:
      break;
  }
  return "";
}

// The name of the fact, if this program knows it.
std::string TypeText(const v1::Event& event) {
  const int number = event.fact_case();
  if (number < domain::kEventTypeMin || number > domain::kEventTypeMax) return "(unknown)";
  return std::string(domain::Name(static_cast<domain::EventType>(number)));
}

}  // namespace

std::string EventText(const v1::Event& event) {
  return fmt::format("{:>8}  {}  {:<28}  {}", event.sequence(), TimeText(event.time()),
                     TypeText(event), FactText(event));
}

}  // namespace wattmint::cli
