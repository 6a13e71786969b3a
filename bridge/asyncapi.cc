// SPDX-License-Identifier: Apache-2.0
#include "bridge/asyncapi.h"

#include "bridge/channel.h"
#include "bridge/delivery.h"
#include "bridge/error_codes.h"
#include "bridge/json_encoder.h"
#include "bridge/message_samples.h"
#include "bridge/message_schemas.h"
#include "bridge/protocol.h"
#include "bridge/server_message_shapes.h"
#include "bridge/server_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace wattmint::bridge {
namespace {

using Has = FrameTraits::Has;

constexpr std::array kSpelled = {Encoding::kJson, Encoding::kFlat, Encoding::kCloudEvents};

OrderedJson ChannelMessage(std::string_view type) {
  return {{"$ref", fmt::format("#/channels/ws/messages/{}", type)}};
}

OrderedJson Info() {
  return {{"title", "wattmint bridge"},
          {"version", WATTMINT_VERSION},
          {"description",
           "Events of energy readings and of the tokens minted for them, for browsers: live, from "
           "the log, or both as one. Unknown members and unknown types must be ignored. "
           "bridge/README.md of the project says the same at length."},
          {"license", {{"name", "Apache-2.0"}}}};
}

OrderedJson Servers() {
  OrderedJson security = OrderedJson::array();
  for (const char* scheme : {"bearer", "apiKey", "ticket"}) {
    security.push_back(Reference("securitySchemes", scheme));
  }
  const auto server = [&](std::string_view protocol, std::string_view about) {
    return OrderedJson{
        {"host", "{host}"},
        {"protocol", protocol},
        {"description", about},
        {"variables",
         {{"host",
           {{"default", "127.0.0.1:8080"}, {"description", "Where this document came from"}}}}},
        {"security", security}};
  };
  return {{"plain", server("ws", "As the bridge is served")},
          {"tls", server("wss", "With TLS, of its own or of a proxy")}};
}

OrderedJson SecuritySchemes() {
  return {{"bearer",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"description",
             "A JSON Web Token or an API key. Without a header: as the subprotocol "
             "wattmint.bearer.<it>, or by `Authenticate` as the first message"}}},
          {"apiKey", {{"type", "httpApiKey"}, {"in", "header"}, {"name", "X-Api-Key"}}},
          {"ticket",
           {{"type", "httpApiKey"},
            {"in", "query"},
            {"name", "ticket"},
            {"description", "The browser's way: of `POST /ws/ticket`, good for one use"}}}};
}

OrderedJson BatchInterval() {
  return {{"type", "integer"},
          {"minimum", 0},
          {"maximum", kBatchIntervalMax.count()},
          {"description",
           "Events come in arrays of what would have been their own frames, also where there is "
           "one, no more often than after so many milliseconds; wattmint.v1.proto: as a "
           "wattmint.v1.EventBatch"}};
}

OrderedJson Bindings() {
  const auto text = [](std::string_view about) {
    return OrderedJson{{"type", "string"}, {"description", about}};
  };
  OrderedJson spoken = OrderedJson::array();
  for (const std::string& name : Subprotocols()) spoken.push_back(name);
  return {{"ws",
           {{"method", "GET"},
            {"query",
             {{"type", "object"},
              {"properties",
               {{"ticket", text("A ticket of `POST /ws/ticket`")},
                {"token", text("A credential, only if the server enables it")},
                {"api_key", text("The same")},
                {"subscribe", text("Channels, separated by commas, subscribed at once")},
                {"batch_ms", BatchInterval()}}}}},
            {"headers",
             {{"type", "object"},
              {"properties",
               {{"Authorization", text("Bearer, and a JSON Web Token or an API key")},
                {"X-Api-Key", text("An API key")},
                {"Sec-WebSocket-Protocol",
                 {{"type", "string"},
                  {"enum", std::move(spoken)},
                  {"default", Subprotocols().front()},
                  {"description", "How the server spells its frames: x-payloads"}}}}}}},
            {"bindingVersion", "0.1.0"}}}};
}

// Messages and schemas, message by message.
class Components {
 public:
  explicit Components(const SessionOptions& options) {
    schemas_["Channel"] = ChannelSchema();
    ReadSamples(options);
    for (const CommandShape& shape : CommandShapes()) answers_.emplace(shape.answer);
    answers_.emplace("Error");
    for (const std::string_view type : EventTypeWords()) AddEvent(type);
    AddFrames(UnknownEventShape(), {.sequence = Has::kAlways});
    for (const MessageShape& shape : kServerMessageShapes) AddServerMessage(shape);
    for (const std::string_view type : CommandNames()) AddCommand(type);
  }

  const OrderedJson& schemas() const { return schemas_; }
  const OrderedJson& messages() const { return messages_; }

 private:
  using FramesByType = std::map<std::string, OrderedJson, std::less<>>;

  void ReadSamples(const SessionOptions& options) {
    for (const Encoding encoding : kSpelled) {
      for (const std::string& text : SampleMessages(encoding, options)) AddSample(encoding, text);
      for (const std::string_view type : EventTypeWords()) {
        const auto event = SampleEvent(*domain::ParseEventType(type));
        if (event) AddSample(encoding, EncodeEvent(*event, encoding, kSampleEpoch));
      }
    }
  }
  void AddSample(Encoding encoding, const std::string& text) {
    OrderedJson frame = OrderedJson::parse(text);
    std::string type = frame["type"];
    if (encoding == Encoding::kCloudEvents) type = type.substr(type.rfind('.') + 1);
    samples_[static_cast<std::size_t>(encoding)][type].push_back(std::move(frame));
  }

  // An event that has no shape is left out, which asyncapi_test notices.
  void AddEvent(std::string_view type) {
    const auto shapes = EventShapes();
    const auto shape = std::ranges::find(shapes, type, &MessageShape::name);
    if (shape == shapes.end()) return;
    // The bridge itself may say it as well: then there is no sequence.
    const bool is_said = std::ranges::find(kServerMessageShapes, type, &MessageShape::name) !=
                         kServerMessageShapes.end();
    AddFrames(*shape, {.sequence = is_said ? Has::kSometimes : Has::kAlways});
    messages_[std::string(type)]["x-payloads"][Subprotocols().back()] = {
        {"schemaFormat", "application/vnd.google.protobuf;version=3"},
        {"message", "wattmint.v1.Event"}};
  }

  void AddServerMessage(const MessageShape& shape) {
    if (messages_.contains(shape.name)) return;  // an event as well
    AddFrames(shape,
              {.answered_id = answers_.contains(shape.name) ? Has::kSometimes : Has::kNever});
  }

  void AddFrames(const MessageShape& shape, FrameTraits traits) {
    schemas_[std::string(shape.name)] = DataSchema(shape);
    OrderedJson payloads;
    for (const Encoding encoding : kSpelled) {
      const auto index = static_cast<std::size_t>(encoding);
      const std::string name = FrameSchemaName(shape.name, encoding);
      schemas_[name] = FrameSchema(shape, encoding, traits);
      schemas_[name]["examples"] = samples_[index][std::string(shape.name)];
      payloads[Subprotocols()[index]] = Reference("schemas", name);
    }
    payloads[Subprotocols().back()] = payloads[Subprotocols().front()];
    const std::string name = FrameSchemaName(shape.name, Encoding::kJson);
    OrderedJson& message = AddMessage(shape, name, schemas_[name]["examples"]);
    message["x-payloads"] = std::move(payloads);
    if (traits.answered_id != Has::kNever) message["correlationId"] = Correlation();
  }

  void AddCommand(std::string_view type) {
    const auto shapes = CommandShapes();
    const auto shape = std::ranges::find(
        shapes, type, [](const CommandShape& candidate) { return candidate.message.name; });
    if (shape == shapes.end()) return;
    OrderedJson framed = OrderedJson::array();
    OrderedJson beside = OrderedJson::array();
    for (const std::string_view text : shape->examples) {
      const OrderedJson data = OrderedJson::parse(text);
      framed.push_back({{"type", type}, {"id", std::to_string(framed.size() + 1)}, {"data", data}});
      beside.push_back({{"type", type}});
      beside.back().update(data);
    }
    const std::string name = CommandSchemaName(type);
    schemas_[std::string(type)] = CommandDataSchema(*shape);
    schemas_[name] = CommandSchema(*shape);
    schemas_[name]["examples"] = framed;
    schemas_[BesideSchemaName(type)] = BesideSchema(*shape);
    schemas_[BesideSchemaName(type)]["examples"] = std::move(beside);
    OrderedJson& message = AddMessage(shape->message, name, framed);
    message["x-spellings"] = {Reference("schemas", name),
                              Reference("schemas", BesideSchemaName(type))};
    message["correlationId"] = Correlation();
  }

  OrderedJson& AddMessage(const MessageShape& shape, std::string_view payload,
                          const OrderedJson& payloads) {
    OrderedJson examples = OrderedJson::array();
    for (const OrderedJson& example : payloads) examples.push_back({{"payload", example}});
    OrderedJson& message = messages_[std::string(shape.name)];
    message = {{"name", shape.name},
               {"title", shape.name},
               {"summary", shape.about},
               {"contentType", "application/json"},
               {"payload", Reference("schemas", payload)},
               {"examples", std::move(examples)}};
    return message;
  }

  static OrderedJson Correlation() { return Reference("correlationIds", "id"); }

  ByEncoding<FramesByType> samples_;
  std::set<std::string_view> answers_;
  OrderedJson schemas_ = OrderedJson::object();
  OrderedJson messages_ = OrderedJson::object();
};

// The bridge receives each command and answers it; all else it sends by itself.
OrderedJson Operations(const OrderedJson& messages) {
  const OrderedJson channel = {{"$ref", "#/channels/ws"}};
  std::set<std::string_view> not_sent;
  OrderedJson operations = OrderedJson::object();
  for (const CommandShape& shape : CommandShapes()) {
    const std::string_view name = shape.message.name;
    not_sent.insert({name, shape.answer});
    operations[fmt::format("receive{}", name)] = {
        {"action", "receive"},
        {"channel", channel},
        {"summary", shape.message.about},
        {"messages", OrderedJson::array({ChannelMessage(name)})},
        {"reply",
         {{"channel", channel},
          {"messages",
           OrderedJson::array({ChannelMessage(shape.answer), ChannelMessage("Error")})}}}};
  }
  not_sent.erase("Authenticated");  // also by the upgrade's credential
  not_sent.erase("Subscribed");     // also by ?subscribe=
  const auto events = EventTypeWords();
  OrderedJson facts = OrderedJson::array();
  OrderedJson others = OrderedJson::array();
  for (const auto& [name, message] : messages.items()) {
    if (not_sent.contains(name)) continue;
    const bool is_event = std::ranges::find(events, name) != events.end();
    (is_event ? facts : others).push_back(ChannelMessage(name));
  }
  operations["sendEvent"] = {{"action", "send"},
                             {"channel", channel},
                             {"summary", "Facts of the log, in its order, as subscribed."},
                             {"messages", std::move(facts)}};
  operations["sendMessage"] = {{"action", "send"},
                               {"channel", channel},
                               {"summary", "How connection, stream and bridge stand."},
                               {"messages", std::move(others)}};
  return operations;
}

OrderedJson ChannelTable() {
  OrderedJson table = OrderedJson::array();
  for (const Channel::Shape& shape : Channel::Shapes()) {
    OrderedJson row = {{"type", shape.type}, {"carries", shape.carries}, {"who", shape.who}};
    if (shape.parameter.empty()) {
      row["name"] = shape.prefix;
    } else {
      row["name"] = fmt::format("{}<{}>", shape.prefix, shape.parameter);
      row["parameter"] = shape.parameter;
    }
    table.push_back(std::move(row));
  }
  return table;
}

OrderedJson ErrorTable() {
  using enum ErrorCode::Where;
  OrderedJson table = OrderedJson::array();
  for (const ErrorCode& code : kErrorCodes) {
    table.push_back({{"code", code.name},
                     {"frame", code.where != kHttp},
                     {"http", code.where != kFrame},
                     {"meaning", code.meaning},
                     {"reconnect", code.reconnect == ErrorCode::Reconnect::kYes},
                     {"remedy", code.remedy}});
  }
  return table;
}

OrderedJson CloseTable() {
  OrderedJson table = OrderedJson::array();
  for (const CloseCode& code : kCloseCodes) {
    table.push_back({{"code", code.number},
                     {"meaning", code.meaning},
                     {"reconnect", code.reconnect == ErrorCode::Reconnect::kYes},
                     {"remedy", code.remedy}});
  }
  return table;
}

OrderedJson Limits(const SessionOptions& options) {
  return {{"subscriptions", options.subscriptions.channels_max},
          {"object_subscriptions", options.subscriptions.object_channels_max},
          {"user_subscriptions", options.subscriptions.user_channels_max},
          {"channels_per_message", kChannelsPerMessageMax},
          {"frame_bytes", options.frame_bytes_max},
          {"frames_per_minute", options.inbound.frames_per_minute},
          {"burst_frames", options.inbound.burst_frames},
          {"authenticate_within_ms", Milliseconds(options.authenticate_within)},
          {"heartbeat_ms", Milliseconds(options.heartbeat)}};
}

}  // namespace

std::string AsyncApiDocument(const SessionOptions& options) {
  const Components components(options);
  OrderedJson in_channel = OrderedJson::object();
  for (const auto& [name, message] : components.messages().items()) {
    in_channel[name] = Reference("messages", name);
  }
  OrderedJson document = {{"asyncapi", "3.0.0"}, {"info", Info()}, {"servers", Servers()}};
  document["defaultContentType"] = "application/json";
  document["channels"] = {{"ws",
                           {{"address", "/ws"},
                            {"title", "The socket"},
                            {"messages", std::move(in_channel)},
                            {"bindings", Bindings()}}}};
  document["operations"] = Operations(components.messages());
  document["components"] = {
      {"messages", components.messages()},
      {"schemas", components.schemas()},
      {"securitySchemes", SecuritySchemes()},
      {"correlationIds",
       {{"id",
         {{"location", "$message.payload#/id"},
          {"description", "The client's, back in the answer; `replyto` in cloudevents.json"}}}}}};
  document["x-channels"] = ChannelTable();
  document["x-error-codes"] = ErrorTable();
  document["x-close-codes"] = CloseTable();
  document["x-limits"] = Limits(options);
  return document.dump();
}

}  // namespace wattmint::bridge
