// SPDX-License-Identifier: Apache-2.0
#include "cli/check/observed_event.h"

#include "bridge/json_encoder.h"
#include "core/wire/event_codec.h"

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>

namespace wattmint::check {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The members of bridge/README.md, "Event types", and of their `changes`.
constexpr std::string_view kDataMembers[] = {
    "base_units",
    "batch_id",
    "changes",
    "channel",
    "correction_id",
    "created_at",
    "deferred_mints",
    "duplicate_mints",
    "error_reason",
    "failed_mints",
    "interval_seconds",
    "interval_start",
    "job_id",
    "key_id",
    "kind",
    "kwh_amount",
    "ledger_height",
    "level",
    "message",
    "meter_id",
    "mint_state",
    "new_fee",
    "new_status",
    "old_fee",
    "old_kwh_amount",
    "old_quality",
    "old_status",
    "paused",
    "public_key",
    "quality",
    "reading_id",
    "reason",
    "revoked",
    "severity",
    "successful_mints",
    "task_id",
    "timestamp",
    "tokens_minted",
    "total_readings",
    "transaction_signature",
    "user_id",
    "wallet_address",
};

void AppendKnown(const nlohmann::json& data, std::string& text) {
  for (const std::string_view name : kDataMembers) {
    const auto member = data.find(name);
    if (member == data.end()) continue;
    text.append(name).append("=");
    if (member->is_object()) {
      AppendKnown(*member, text);
    } else {
      text.append(member->dump());
    }
    text.append(";");
  }
}

// The fact of an event, whichever it is; nullptr for one of a later version.
const Message* FactOf(const v1::Event& event) {
  if (event.fact_case() == v1::Event::FACT_NOT_SET) return nullptr;
  const FieldDescriptor* const field =
      v1::Event::descriptor()->FindFieldByNumber(static_cast<int>(event.fact_case()));
  return &event.GetReflection()->GetMessage(event, field);
}

// "" if the message has no such field.
std::string TextField(const Message& message, const char* name) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// event.proto says "To admins" of these; of others "To everybody", or to their owner.
bool IsForAdmins(const v1::Event& event) {
  return event.has_batch_minting_completed() || event.has_api_key_changed() ||
         event.has_minting_switched();
}

std::int16_t AudienceOf(const v1::Event& event, const Message& fact, const Cast& cast) {
  if (event.has_system_alert()) return LogEntry::kEverybody;
  return IsForAdmins(event) ? LogEntry::kOther : cast.FindUser(TextField(fact, "user_id"));
}

}  // namespace

std::uint64_t DigestOfPayload(std::string_view payload) {
  return std::hash<std::string_view>()(payload);
}

std::uint64_t DigestOfFrame(const nlohmann::json& frame) {
  std::string text;
  for (const char* const name : {"type", "seq", "timestamp"}) {
    const auto member = frame.find(name);
    if (member != frame.end()) text.append(member->dump()).append(";");
  }
  const auto data = frame.find("data");
  if (data != frame.end() && data->is_object()) AppendKnown(*data, text);
  return std::hash<std::string_view>()(text);
}

LogEntry Observe(const v1::Event& event, const Cast& cast) {
  LogEntry entry;
  v1::Event payload = event;
  payload.clear_sequence();
  const std::string bytes = payload.SerializeAsString();
  entry.grpc_digest = DigestOfPayload(bytes);
  const Message* const fact = FactOf(event);
  if (fact == nullptr) return entry;
  entry.type = static_cast<std::uint16_t>(event.fact_case());
  entry.user = AudienceOf(event, *fact, cast);
  entry.meter = cast.FindMeter(TextField(*fact, "meter_id"));
  const absl::StatusOr<domain::Event> decoded = wire::DecodePayload(event.sequence(), bytes);
  if (decoded.ok()) {
    const std::string frame = bridge::EncodeEvent(*decoded, bridge::Encoding::kJson, "");
    entry.json_digest = DigestOfFrame(nlohmann::json::parse(frame, nullptr, false));
  }
  return entry;
}

}  // namespace wattmint::check
