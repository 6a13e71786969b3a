// SPDX-License-Identifier: Apache-2.0
#include "core/wire/event_codec.h"

#include "core/base/status.h"
#include "core/wire/convert.h"
#include "wattmint/v1/event.pb.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>

#include <array>
#include <utility>
#include <variant>

namespace wattmint::wire {
namespace {

using google::protobuf::io::CodedOutputStream;

// Field numbers of Event and of the messages that hold events: wattmint/v1/event.proto.
constexpr char kSequenceTag = (1 << 3) | 0;  // varint
constexpr char kEventsTag = (1 << 3) | 2;    // length-delimited

std::size_t VarintSize(std::uint64_t value) { return CodedOutputStream::VarintSize64(value); }

void AppendVarint(std::uint64_t value, std::string& out) {
  std::uint8_t bytes[10];
  const std::uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}

std::size_t EventSize(std::int64_t sequence, std::size_t payload_size) {
  return 1 + VarintSize(static_cast<std::uint64_t>(sequence)) + payload_size;
}

}  // namespace

std::string EncodePayload(domain::Time time, const domain::Fact& fact) {
  // One message of each kind is used again by each thread, since it has its memory already.
  thread_local std::array<v1::Event, std::variant_size_v<domain::Fact>> messages;
  v1::Event& message = messages[fact.index()];
  ToProto(time, *message.mutable_time());
  FactToProto(fact, message);
  return message.SerializeAsString();
}

absl::StatusOr<domain::Event> DecodePayload(std::int64_t sequence, std::string_view payload) {
  v1::Event message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return base::DataLoss("event {}: the bytes are no event", sequence);
  }
  auto fact = FactFromProto(message);
  if (!fact) {
    return base::DataLoss("event {}: of a type that this version does not know", sequence);
  }
  return domain::Event{sequence, FromProto(message.time()), *std::move(fact)};
}

absl::StatusOr<domain::Time> DecodeTime(std::string_view payload) {
  v1::Event message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return base::DataLoss("the bytes are no event");
  }
  return FromProto(message.time());
}

absl::StatusOr<UnknownFact> DecodeUnknown(std::string_view payload) {
  v1::Event message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return base::DataLoss("the bytes are no event");
  }
  UnknownFact unknown{FromProto(message.time()), static_cast<int>(message.fact_case())};
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count() && unknown.type == 0; ++i) {
    const bool is_fact =
        fields.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
        fields.field(i).number() > domain::kEventTypeMax;
    if (is_fact) unknown.type = fields.field(i).number();
  }
  return unknown;
}

absl::StatusOr<domain::EventAttributes> DecodeAttributes(std::string_view payload) {
  auto event = DecodePayload(0, payload);
  if (!event.ok()) return event.status();
  return domain::AttributesOf(event->fact);
}

void AppendEvent(std::int64_t sequence, std::string_view payload, std::string& out) {
  out.push_back(kSequenceTag);
  AppendVarint(static_cast<std::uint64_t>(sequence), out);
  out.append(payload);
}

void AppendEventField(std::int64_t sequence, std::string_view payload, std::string& out) {
  out.push_back(kEventsTag);
  AppendVarint(EventSize(sequence, payload.size()), out);
  AppendEvent(sequence, payload, out);
}

void AppendEventField(std::string_view event, std::string& out) {
  out.push_back(kEventsTag);
  AppendVarint(event.size(), out);
  out.append(event);
}

std::size_t EventFieldSize(std::int64_t sequence, std::size_t payload_size) {
  const std::size_t size = EventSize(sequence, payload_size);
  return 1 + VarintSize(size) + size;
}

}  // namespace wattmint::wire
