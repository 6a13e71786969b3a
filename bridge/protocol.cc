// SPDX-License-Identifier: Apache-2.0
#include "bridge/protocol.h"

#include "bridge/http_text.h"
#include "bridge/json_members.h"
#include "bridge/json_value.h"
#include "bridge/json_writer.h"
#include "bridge/reading_message.h"
#include "core/base/decimal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kSecretBytesMax = 8'192;
constexpr std::size_t kCursorBytesMax = 1'024;

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(absl::string_view(a.data(), a.size()),
                                absl::string_view(b.data(), b.size()));
}

absl::StatusOr<std::vector<std::string>> Texts(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  const JsonValue* member = Given(object, name);
  if (member == nullptr) return texts;
  const JsonValue::Array* array = member->AsArray();
  if (array == nullptr) return base::InvalidArgument("\"{}\" must be an array", name);
  for (const JsonValue& element : *array) {
    const std::string* text = element.AsString();
    if (text == nullptr) return base::InvalidArgument("\"{}\" must hold strings", name);
    texts.push_back(*text);
  }
  return texts;
}

// The command's id as JSON; "" if there is none.
absl::StatusOr<std::string> ReadId(const JsonValue& message) {
  const JsonValue* id = Given(message, "id");
  if (id == nullptr) return std::string();
  std::string json;
  if (const std::string* text = id->AsString(); text != nullptr && text->size() <= kIdBytesMax) {
    AppendJsonString(*text, json);
  } else if (const std::optional<std::int64_t> number = WholeNumber(*id)) {
    json = std::to_string(*number);
  } else {
    return base::InvalidArgument("\"id\" must be a string of at most 64 bytes, or a whole number");
  }
  return json;
}

absl::StatusOr<AuthenticateCommand> ReadAuthenticate(const JsonValue& data) {
  using CredentialKind = client::Credential::Kind;
  constexpr std::array<std::pair<std::string_view, CredentialKind>, 3> kKinds = {
      {{"token", CredentialKind::kBearer},
       {"api_key", CredentialKind::kApiKey},
       {"ticket", CredentialKind::kTicket}}};
  AuthenticateCommand command;
  for (const auto& [name, kind] : kKinds) {
    WATTMINT_ASSIGN_OR_RETURN(std::string secret, Text(data, name, kSecretBytesMax));
    if (secret.empty()) continue;
    if (command.credential.kind != CredentialKind::kNone) {
      return base::InvalidArgument("more than one credential");
    }
    command.credential = {kind, std::move(secret)};
  }
  if (command.credential.kind == CredentialKind::kNone) {
    return base::InvalidArgument("one of token, api_key and ticket is needed");
  }
  return command;
}

absl::StatusOr<Channel> ReadChannelObject(const JsonValue& value, const std::string& type) {
  Channel::Params params;
  if (const JsonValue* given = Given(value, "params")) {
    const JsonValue::Object* members = given->AsObject();
    if (members == nullptr) {
      return base::InvalidArgument("\"params\" must be an object or null");
    }
    for (const auto& [name, member] : *members) {
      if (const std::string* text = member.AsString()) params.emplace_back(name, *text);
      if (const auto* number = member.AsNumber()) params.emplace_back(name, number->text);
    }
  }
  return Channel::FromObject(type, params);
}

// A channel that can't be read leaves its name in `bad`, which is empty otherwise.
absl::StatusOr<Channel> ReadChannel(const JsonValue& value, std::string& bad) {
  const std::string* name = value.AsString();
  const JsonValue* type = Given(value, "type");
  const std::string* type_name = type == nullptr ? nullptr : type->AsString();
  if (name == nullptr && type_name == nullptr) {
    return base::InvalidArgument("a channel is a name, or an object with a type");
  }
  absl::StatusOr<Channel> channel =
      name != nullptr ? Channel::Parse(*name) : ReadChannelObject(value, *type_name);
  if (!channel.ok()) bad = name != nullptr ? *name : *type_name;
  return channel;
}

absl::StatusOr<std::vector<Channel>> ReadChannels(const JsonValue& data, std::string& bad) {
  std::vector<Channel> channels;
  if (const JsonValue* room = Given(data, "room")) {
    if (room->AsString() == nullptr) return base::InvalidArgument("\"room\" must be a string");
    WATTMINT_ASSIGN_OR_RETURN(Channel channel, ReadChannel(*room, bad));
    channels.push_back(std::move(channel));
  }
  const JsonValue* given = Given(data, "channels");
  if (given == nullptr) return channels;
  const JsonValue::Array* array = given->AsArray();
  if (array == nullptr) return base::InvalidArgument("\"channels\" must be an array");
  if (array->size() > kChannelsPerMessageMax) {
    return base::InvalidArgument("at most {} channels in one message", kChannelsPerMessageMax);
  }
  for (const JsonValue& element : *array) {
    WATTMINT_ASSIGN_OR_RETURN(Channel channel, ReadChannel(element, bad));
    channels.push_back(std::move(channel));
  }
  return channels;
}

// Nothing if no member of a filter is there at all.
absl::StatusOr<std::optional<domain::EventFilter>> ReadFilter(const JsonValue& data) {
  const bool is_there = data.Find("event_types") != nullptr || data.Find("meters") != nullptr ||
                        data.Find("min_amount") != nullptr;
  if (!is_there) return std::nullopt;
  domain::EventFilter filter;
  WATTMINT_ASSIGN_OR_RETURN(const std::vector<std::string> types, Texts(data, "event_types"));
  for (const std::string& name : types) {
    const std::optional<domain::EventType> type = domain::ParseEventType(name);
    if (!type) return base::InvalidArgument("\"event_types\" has a name that is no event type");
    filter.types.push_back(*type);
  }
  WATTMINT_ASSIGN_OR_RETURN(filter.meter_ids, Texts(data, "meters"));
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, NumberText(data, "min_amount"));
  if (Given(data, "min_amount") != nullptr) {
    const absl::StatusOr<std::int64_t> nano_kwh = base::ParseDecimal(text, 9);
    if (!nano_kwh.ok()) {
      return base::InvalidArgument("\"min_amount\": {}", base::Message(nano_kwh.status()));
    }
    filter.energy_min = domain::Energy::FromNanoKwh(*nano_kwh);
  }
  WATTMINT_RETURN_IF_ERROR(filter.Normalize());
  return filter;
}

absl::StatusOr<StreamStart> ReadStart(const JsonValue& data) {
  StreamStart start;
  WATTMINT_ASSIGN_OR_RETURN(start.cursor, Text(data, "resume", kCursorBytesMax));
  WATTMINT_ASSIGN_OR_RETURN(const std::string where, Text(data, "start", kIdBytesMax));
  if (const JsonValue* last = Given(data, "last_seq")) {
    const std::optional<std::int64_t> sequence = WholeNumber(*last);
    if (!sequence) return base::InvalidArgument("\"last_seq\" must be a whole number");
    start.last_sequence = *sequence;
  }
  start.is_given = !start.cursor.empty() || !where.empty();
  if (!start.cursor.empty()) {
    if (!where.empty()) return base::InvalidArgument("\"start\" and \"resume\" exclude each other");
    start.kind = StreamStart::Kind::kResume;
  } else if (where == "beginning") {
    start.kind = StreamStart::Kind::kBeginning;
  } else if (!where.empty() && where != "now") {
    return base::InvalidArgument("\"start\" is \"now\" or \"beginning\"");
  }
  return start;
}

absl::StatusOr<SubscribeCommand> ReadSubscribe(const JsonValue& data, std::string& bad) {
  SubscribeCommand command;
  WATTMINT_ASSIGN_OR_RETURN(command.channels, ReadChannels(data, bad));
  WATTMINT_ASSIGN_OR_RETURN(command.filter, ReadFilter(data));
  WATTMINT_ASSIGN_OR_RETURN(command.start, ReadStart(data));
  if (command.channels.empty() && !command.filter) {
    return base::InvalidArgument("no channels and no filter are given");
  }
  if (!command.channels.empty() && command.filter) {
    return base::InvalidArgument("channels and a filter exclude each other");
  }
  return command;
}

PingCommand ReadPing(const JsonValue& data) {
  const JsonValue* timestamp = Given(data, "timestamp");
  const JsonValue::Number* number = timestamp == nullptr ? nullptr : timestamp->AsNumber();
  if (number == nullptr || number->text.size() > kIdBytesMax) return {};
  return {number->text};
}

ProtocolError ToError(std::string id, std::string_view code, const absl::Status& why,
                      std::string channel = "") {
  if (!channel.empty()) code = error_code::kInvalidRoom;
  channel.resize(std::min<std::size_t>(channel.size(), kIdBytesMax));
  return {.id = std::move(id),
          .code = code,
          .message = std::string(base::Message(why)),
          .channel = std::move(channel)};
}

using What = decltype(Command::what);

struct CommandKind {
  std::string_view name;  // compared without case
  std::string_view refusal;
  // A channel that is at fault leaves its name in `bad`.
  absl::StatusOr<What> (*read)(const JsonValue& data, std::string& bad);
};

constexpr auto kCommandKinds = std::to_array<CommandKind>({
    {"Authenticate", error_code::kInvalidAuthentication,
     [](const JsonValue& data, std::string&) -> absl::StatusOr<What> {
       return ReadAuthenticate(data);
     }},
    {"Subscribe", error_code::kInvalidSubscription,
     [](const JsonValue& data, std::string& bad) -> absl::StatusOr<What> {
       return ReadSubscribe(data, bad);
     }},
    {"Unsubscribe", error_code::kInvalidUnsubscription,
     [](const JsonValue& data, std::string& bad) -> absl::StatusOr<What> {
       WATTMINT_ASSIGN_OR_RETURN(std::vector<Channel> channels, ReadChannels(data, bad));
       return UnsubscribeCommand{std::move(channels)};
     }},
    {"SubmitReading", error_code::kInvalidReading,
     [](const JsonValue& data, std::string&) -> absl::StatusOr<What> {
       WATTMINT_ASSIGN_OR_RETURN(domain::Reading reading, ReadReading(data));
       return SubmitReadingCommand{std::move(reading)};
     }},
    {"Ping", error_code::kInvalidMessage,
     [](const JsonValue& data, std::string&) -> absl::StatusOr<What> { return ReadPing(data); }},
});

}  // namespace

std::variant<Command, ProtocolError> ParseCommand(std::string_view text) {
  const absl::StatusOr<JsonValue> message = JsonValue::Parse(text);
  if (!message.ok()) return ToError("", error_code::kInvalidMessage, message.status());
  if (message->AsObject() == nullptr) {
    return ToError("", error_code::kInvalidMessage,
                   base::InvalidArgument("the message must be an object"));
  }
  absl::StatusOr<std::string> id = ReadId(*message);
  if (!id.ok()) return ToError("", error_code::kInvalidMessage, id.status());

  const JsonValue* data = Given(*message, "data");
  if (data == nullptr) data = &*message;  // the members may stand beside the type
  const JsonValue* type = message->Find("type");
  const std::string* name = type == nullptr ? nullptr : type->AsString();
  if (name == nullptr) {
    return ToError(*id, error_code::kInvalidMessageType,
                   base::InvalidArgument("the message has no type"));
  }
  if (data->AsObject() == nullptr) {
    return ToError(*id, error_code::kInvalidMessage,
                   base::InvalidArgument("\"data\" must be an object"));
  }

  const auto* const kind = std::ranges::find_if(
      kCommandKinds,
      [name](const CommandKind& candidate) { return EqualsIgnoreCase(*name, candidate.name); });
  if (kind == kCommandKinds.end()) {
    return ToError(*id, error_code::kInvalidMessageType,
                   base::InvalidArgument("there is no such message type"));
  }
  std::string bad;
  absl::StatusOr<What> what = kind->read(*data, bad);
  if (!what.ok()) return ToError(*id, kind->refusal, what.status(), bad);
  return Command{*std::move(id), *std::move(what)};
}

std::vector<std::string_view> CommandNames() {
  std::vector<std::string_view> names;
  for (const CommandKind& kind : kCommandKinds) names.push_back(kind.name);
  return names;
}

std::variant<std::vector<Channel>, ProtocolError> ParseChannelList(std::string_view text) {
  std::vector<Channel> channels;
  for (const std::string_view name : SplitTrimmed(text, ',')) {
    absl::StatusOr<Channel> channel = Channel::Parse(name);
    if (!channel.ok()) return ToError("", "", channel.status(), std::string(name));
    channels.push_back(*std::move(channel));
  }
  if (channels.size() > kChannelsPerMessageMax) {
    return ToError("", error_code::kInvalidSubscription,
                   base::InvalidArgument("at most {} channels at once", kChannelsPerMessageMax));
  }
  return channels;
}

}  // namespace wattmint::bridge
