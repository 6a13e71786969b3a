// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_encoder.h"

#include "bridge/json_writer.h"
#include "core/base/time_format.h"
#include "core/domain/filter.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <variant>

namespace wattmint::bridge {
namespace {

// Writes the members of `data`. An empty text says that the value is not known: it is left out.
class DataWriter {
 public:
  DataWriter(JsonWriter& json, domain::Time event_time) : json_(json), event_time_(event_time) {}

  void operator()(const domain::MeterReadingReceived& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Kwh(fact.energy);
    Timestamp(fact.interval_start);
    Text("reading_id", fact.reading_id.ToString());
    json_.Number("interval_seconds",
                 std::chrono::duration_cast<std::chrono::seconds>(fact.interval).count());
    Text("quality", domain::Name(fact.quality));
    Text("channel", domain::Name(fact.channel));
    Text("mint_state", domain::Name(fact.mint_state));
  }

  void operator()(const domain::MeterReadingValidationFailed& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Kwh(fact.energy);
    Text("error_reason", domain::Name(fact.refusal.rejection));
    Text("message", fact.refusal.message);
    Timestamp(fact.interval_start.value_or(event_time_));
  }

  void operator()(const domain::TokensMinted& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Kwh(fact.energy);
    json_.Number("tokens_minted", fact.tokens.base_units());
    Text("transaction_signature", fact.transaction_signature);
    Timestamp(event_time_);
    Text("reading_id", fact.reading_id.ToString());
    json_.BigNumber("task_id", fact.task_id);
    Text("batch_id", fact.batch_id);
    Text("interval_start", base::FormatRfc3339(fact.interval_start));
  }

  void operator()(const domain::BatchMintingCompleted& fact) {
    Text("batch_id", fact.batch_id);
    json_.Number("total_readings", fact.total_readings);
    json_.Number("successful_mints", fact.successful_mints);
    json_.Number("failed_mints", fact.failed_mints);
    json_.Number("deferred_mints", fact.deferred_mints);
    json_.Number("duplicate_mints", fact.duplicate_mints);
    Timestamp(event_time_);
  }

  void operator()(const domain::TaskCreated& fact) {
    Task(fact.task_id, "", fact.user_id, fact.meter_id);
    json_.Begin("changes");
    json_.BigNumber("task_id", fact.task_id);
    Text("reading_id", fact.reading_id.ToString());
    Kwh(fact.energy);
    Text("created_at", base::FormatRfc3339(event_time_));
    json_.End();
    Timestamp(event_time_);
  }

  void operator()(const domain::TaskUpdated& fact) {
    Task(fact.task_id, fact.batch_id, fact.user_id, fact.meter_id);
    json_.Begin("changes");
    Text("wallet_address", fact.wallet_address);
    json_.Number("tokens_minted", fact.tokens.base_units());
    Text("transaction_signature", fact.transaction_signature);
    if (fact.ledger_height != 0) json_.BigNumber("ledger_height", fact.ledger_height);
    json_.End();
    Timestamp(event_time_);
  }

  void operator()(const domain::TaskStatusChanged& fact) {
    Task(fact.task_id, fact.batch_id, fact.user_id, fact.meter_id);
    json_.Begin("changes");
    Text("old_status", domain::Name(fact.old_state));
    Text("new_status", domain::Name(fact.new_state));
    Text("reason", fact.reason);
    json_.End();
    Timestamp(event_time_);
  }

  void operator()(const domain::TaskFeeUpdated& fact) {
    Task(fact.task_id, fact.batch_id, fact.user_id, fact.meter_id);
    json_.Begin("changes").BigNumber("old_fee", fact.old_fee).BigNumber("new_fee", fact.new_fee);
    json_.End();
    Timestamp(event_time_);
  }

  void operator()(const domain::MeterChanged& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Text("public_key", fact.public_key);
    Timestamp(event_time_);
  }

  void operator()(const domain::ApiKeyChanged& fact) {
    Text("user_id", fact.user_id);
    Text("key_id", fact.key_id);
    json_.Bool("revoked", fact.revoked);
    Timestamp(event_time_);
  }

  void operator()(const domain::MintingSwitched& fact) {
    json_.Bool("paused", fact.paused);
    Text("reason", fact.reason);
    Timestamp(event_time_);
  }

  void operator()(const domain::ReadingCorrected& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Kwh(fact.energy);
    json_.Raw("old_kwh_amount", fact.old_energy.ToString());
    Timestamp(fact.interval_start);
    Text("reading_id", fact.reading_id.ToString());
    if (fact.task_id != 0) json_.BigNumber("task_id", fact.task_id);
    Text("quality", Name(fact.quality));
    Text("old_quality", Name(fact.old_quality));
    Text("mint_state", domain::Name(fact.mint_state));
    Text("reason", fact.reason);
    json_.BigNumber("correction_id", fact.correction_id);
  }

  void operator()(const domain::ReadingWithdrawn& fact) {
    Owner(fact.user_id, fact.wallet_address, fact.meter_id);
    Kwh(fact.energy);
    Timestamp(fact.interval_start);
    Text("reading_id", fact.reading_id.ToString());
    if (fact.task_id != 0) json_.BigNumber("task_id", fact.task_id);
    Text("reason", fact.reason);
    json_.BigNumber("correction_id", fact.correction_id);
  }

  void operator()(const domain::SystemAlert& fact) {
    Text("kind", fact.kind);
    Text("severity", domain::Name(fact.severity));
    Text("message", fact.message);
    Timestamp(event_time_);
  }

  void operator()(const domain::Notification& fact) {
    Text("user_id", fact.user_id);
    Text("level", domain::Name(fact.level));
    Text("message", fact.message);
    Timestamp(event_time_);
  }

 private:
  void Text(std::string_view name, std::string_view value) {
    if (!value.empty()) json_.String(name, value);
  }
  void Owner(std::string_view user_id, std::string_view wallet, std::string_view meter_id) {
    Text("user_id", user_id);
    Text("wallet_address", wallet);
    Text("meter_id", meter_id);
  }
  void Task(std::int64_t id, std::string_view batch_id, std::string_view user_id,
            std::string_view meter_id) {
    json_.BigNumber("task_id", id);
    Text("job_id", batch_id);
    Text("user_id", user_id);
    Text("meter_id", meter_id);
  }
  void Kwh(domain::Energy energy) { json_.Raw("kwh_amount", energy.ToString()); }
  void Timestamp(domain::Time time) { Text("timestamp", base::FormatRfc3339(time)); }

  JsonWriter& json_;
  const domain::Time event_time_;
};

// `subject`: of a cloud event; "" if there is none.
template <typename Fill>
std::string Encode(Envelope envelope, Encoding encoding, std::string_view epoch,
                   const std::string& subject, Fill fill) {
  std::string event_id;
  std::string source;
  if (encoding == Encoding::kCloudEvents) {
    event_id = std::to_string(envelope.sequence);
    envelope.event_id = event_id;
    source = fmt::format("urn:wattmint:log:{}", epoch);
    envelope.source = source;
    envelope.subject = subject;
  }
  JsonWriter json;
  OpenMessage(encoding, envelope, json);
  fill(json);
  return CloseMessage(encoding, std::move(json));
}

}  // namespace

std::string EncodeEvent(const domain::Event& event, Encoding encoding, std::string_view epoch) {
  const bool has_subject = encoding == Encoding::kCloudEvents;
  const std::string subject =
      has_subject ? domain::AttributesOf(event.fact).meter_id : std::string();
  return Encode({.type = domain::Name(domain::TypeOf(event.fact)),
                 .time = event.time,
                 .sequence = event.sequence},
                encoding, epoch, subject, [&event](JsonWriter& json) {
                  std::visit(DataWriter(json, event.time), event.fact);
                });
}

std::string EncodeUnknown(const UnknownEvent& event, Encoding encoding, std::string_view epoch) {
  return Encode({.type = "Unknown", .time = event.time, .sequence = event.sequence}, encoding,
                epoch, "", [&event](JsonWriter& json) { json.Number("event_type", event.type); });
}

}  // namespace wattmint::bridge
