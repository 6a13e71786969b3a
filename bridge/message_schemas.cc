// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_schemas.h"

#include "bridge/channel.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace wattmint::bridge {
namespace {

using Has = FrameTraits::Has;

constexpr std::int64_t kCountMax = (std::int64_t{1} << 53) - 1;

OrderedJson ObjectSchema() {
  return {{"type", "object"},
          {"required", OrderedJson::array()},
          {"properties", OrderedJson::object()}};
}

void AddProperty(OrderedJson& object, std::string_view name, Has has, OrderedJson schema) {
  if (has == Has::kNever) return;
  if (has == Has::kAlways) object["required"].push_back(name);
  object["properties"][std::string(name)] = std::move(schema);
}

OrderedJson TypeSchema(const Member& member);

void AddMembers(OrderedJson& object, std::span<const Member> members) {
  for (const Member& member : members) {
    const bool may_be_null =
        member.presence == Presence::kOrNull || member.presence == Presence::kSometimesOrNull;
    const bool is_always =
        member.presence == Presence::kOrNull || member.presence == Presence::kAlways;
    OrderedJson schema = TypeSchema(member);
    if (may_be_null) {
      if (!schema["type"].is_array()) schema["type"] = OrderedJson::array({schema["type"]});
      schema["type"].push_back("null");
      if (schema.contains("enum")) schema["enum"].push_back(nullptr);
    }
    schema["description"] = member.about;
    AddProperty(object, member.name, is_always ? Has::kAlways : Has::kSometimes, std::move(schema));
  }
}

OrderedJson CountSchema() { return {{"type", "integer"}, {"minimum", 0}, {"maximum", kCountMax}}; }

OrderedJson TimeSchema() { return {{"type", "string"}, {"format", "date-time"}}; }

OrderedJson TextSchema(std::string_view about) {
  return {{"type", "string"}, {"description", about}};
}

OrderedJson ListOf(OrderedJson items) { return {{"type", "array"}, {"items", std::move(items)}}; }

OrderedJson TypeSchema(const Member& member) {
  switch (member.type) {
    case MemberType::kText:
      return {{"type", "string"}};
    case MemberType::kTime:
      return TimeSchema();
    case MemberType::kDecimal:
    case MemberType::kNumber:
      return {{"type", "number"}};
    case MemberType::kDecimalOrText:
      return {{"type", {"number", "string"}}};
    case MemberType::kCount:
      return CountSchema();
    case MemberType::kBigNumber:
      return {{"type", "string"}, {"format", "int64"}};
    case MemberType::kBool:
      return {{"type", "boolean"}};
    case MemberType::kWord:
      return {{"type", "string"}, {"enum", member.words()}};
    case MemberType::kTexts:
      return ListOf({{"type", "string"}});
    case MemberType::kWords:
      return ListOf({{"type", "string"}, {"enum", member.words()}});
    case MemberType::kChannels:
      return ListOf(Reference("schemas", "Channel"));
    case MemberType::kObject:
    case MemberType::kObjects:
      break;
  }
  OrderedJson object = ObjectSchema();
  AddMembers(object, member.members);
  return member.type == MemberType::kObjects ? ListOf(std::move(object)) : object;
}

void AddEnvelope(OrderedJson& object, std::string_view type, Encoding encoding,
                 FrameTraits traits) {
  AddProperty(object, "type", Has::kAlways, {{"const", type}});
  OrderedJson sequence = CountSchema();
  sequence["description"] = "The event's place in the log, the same for everybody";
  AddProperty(object, "seq", traits.sequence, std::move(sequence));
  AddProperty(object, "id", traits.answered_id,
              {{"type", {"string", "integer"}},
               {"description", "The id of the client's message that this answers"}});
  OrderedJson time = TimeSchema();
  time["description"] = "When the event was committed, or the message was made";
  AddProperty(object, encoding == Encoding::kFlat ? "time" : "timestamp", Has::kAlways,
              std::move(time));
}

// Source: CloudEvents 1.0, JSON event format, and its extension "sequence".
void AddCloudEnvelope(OrderedJson& object, std::string_view type, FrameTraits traits) {
  AddProperty(object, "specversion", Has::kAlways, {{"const", "1.0"}});
  AddProperty(object, "id", Has::kAlways, TextSchema("One for each event of a source"));
  AddProperty(object, "source", Has::kAlways, TextSchema("The log, or the bridge since its start"));
  AddProperty(object, "type", Has::kAlways, {{"const", fmt::format("wattmint.v1.{}", type)}});
  AddProperty(object, "time", Has::kAlways, TimeSchema());
  AddProperty(object, "sequence", traits.sequence,
              TextSchema("The event's place in the log, in 19 digits"));
  AddProperty(object, "replyto", traits.answered_id,
              TextSchema("The id of the client's message that this answers"));
  AddProperty(object, "datacontenttype", Has::kAlways, {{"const", "application/json"}});
}

bool HasMeter(const MessageShape& shape) {
  return std::ranges::find(shape.members, "meter_id", &Member::name) != shape.members.end();
}

OrderedJson AnyOfRequired(std::span<const std::string_view> names) {
  OrderedJson any = OrderedJson::array();
  for (const std::string_view name : names) any.push_back({{"required", {name}}});
  return any;
}

void AddChoices(OrderedJson& object, const CommandShape& shape) {
  if (shape.choices.empty()) return;
  OrderedJson one = OrderedJson::array();
  for (const auto& group : shape.choices) one.push_back({{"anyOf", AnyOfRequired(group)}});
  object["oneOf"] = std::move(one);
}

// `type` and `id` of a command. Any case of letters is good; these are the ones in use.
OrderedJson CommandEnvelope(std::string_view type) {
  OrderedJson object = ObjectSchema();
  const absl::string_view text(type.data(), type.size());
  AddProperty(object, "type", Has::kAlways,
              {{"enum", {type, absl::AsciiStrToLower(text), absl::AsciiStrToUpper(text)}}});
  AddProperty(object, "id", Has::kSometimes,
              {{"type", {"string", "integer"}},
               {"minimum", 0},
               {"maximum", kCountMax},
               {"maxLength", 64},
               {"description", "Comes back in the answer"}});
  return object;
}

}  // namespace

OrderedJson Reference(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

std::string FrameSchemaName(std::string_view type, Encoding encoding) {
  if (encoding == Encoding::kFlat) return fmt::format("{}Flat", type);
  if (encoding == Encoding::kCloudEvents) return fmt::format("{}CloudEvent", type);
  return fmt::format("{}Frame", type);
}

std::string CommandSchemaName(std::string_view type) { return fmt::format("{}Command", type); }

std::string BesideSchemaName(std::string_view type) { return fmt::format("{}Beside", type); }

OrderedJson DataSchema(const MessageShape& shape) {
  OrderedJson object = ObjectSchema();
  object["description"] = shape.about;
  AddMembers(object, shape.members);
  return object;
}

OrderedJson FrameSchema(const MessageShape& shape, Encoding encoding, FrameTraits traits) {
  OrderedJson object = ObjectSchema();
  if (encoding == Encoding::kCloudEvents) {
    AddCloudEnvelope(object, shape.name, traits);
    const bool has_subject = traits.sequence != Has::kNever && HasMeter(shape);
    AddProperty(object, "subject", has_subject ? Has::kSometimes : Has::kNever,
                TextSchema("The meter"));
  } else {
    AddEnvelope(object, shape.name, encoding, traits);
  }
  if (encoding == Encoding::kFlat) {
    AddMembers(object, shape.members);
  } else {
    AddProperty(object, "data", Has::kAlways, Reference("schemas", shape.name));
  }
  return object;
}

OrderedJson CommandDataSchema(const CommandShape& shape) {
  OrderedJson object = DataSchema(shape.message);
  AddChoices(object, shape);
  return object;
}

OrderedJson CommandSchema(const CommandShape& shape) {
  OrderedJson object = CommandEnvelope(shape.message.name);
  const bool is_needed =
      !shape.choices.empty() || std::ranges::find(shape.message.members, Presence::kAlways,
                                                  &Member::presence) != shape.message.members.end();
  AddProperty(object, "data", is_needed ? Has::kAlways : Has::kSometimes,
              Reference("schemas", shape.message.name));
  return object;
}

OrderedJson BesideSchema(const CommandShape& shape) {
  OrderedJson object = CommandEnvelope(shape.message.name);
  AddMembers(object, shape.message.members);
  AddChoices(object, shape);
  return object;
}

OrderedJson ChannelSchema() {
  std::string names;
  OrderedJson types = OrderedJson::array();
  for (const Channel::Shape& shape : Channel::Shapes()) {
    names += fmt::format("{}{}{}", names.empty() ? "" : "|", shape.prefix,
                         shape.parameter.empty() ? "" : ".+");
    types.push_back(shape.type);
  }
  OrderedJson object = ObjectSchema();
  AddProperty(object, "type", Has::kAlways, {{"type", "string"}, {"enum", std::move(types)}});
  AddProperty(object, "params", Has::kSometimes,
              {{"type", {"object", "null"}}, {"description", "The id by its name: x-channels"}});
  OrderedJson name{{"type", "string"}, {"pattern", fmt::format("^({})$", names)}};
  return {{"description", "What is subscribed, by name or as an object: x-channels"},
          {"anyOf", {std::move(name), std::move(object)}}};
}

}  // namespace wattmint::bridge
