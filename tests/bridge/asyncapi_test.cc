// SPDX-License-Identifier: Apache-2.0
#include "bridge/asyncapi.h"

#include "bridge/channel.h"
#include "bridge/encoding.h"
#include "bridge/json_encoder.h"
#include "bridge/json_value.h"
#include "bridge/message_catalogue.h"
#include "bridge/message_samples.h"
#include "bridge/protocol.h"
#include "bridge/server_message_shapes.h"
#include "core/wire/event_codec.h"
#include "tests/support/json_schema.h"
#include "wattmint/v1/event.pb.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using test::JsonSchema;
using testing::IsEmpty;

const json& Document() {
  static const json document = json::parse(AsyncApiDocument({}));
  return document;
}

const json& Messages() { return Document()["components"]["messages"]; }
const json& Schemas() { return Document()["components"]["schemas"]; }

const json& At(const json& reference) {
  return Document().at(json::json_pointer(reference["$ref"].get<std::string>().substr(1)));
}

// The types of the log's events, as the messages of gRPC have them.
std::vector<domain::EventType> AllEventTypes() {
  std::vector<domain::EventType> types;
  for (int i = 0; i < v1::EventType_descriptor()->value_count(); ++i) {
    const int number = v1::EventType_descriptor()->value(i)->number();
    if (number != 0) types.push_back(static_cast<domain::EventType>(number));
  }
  return types;
}

// Every fact, with nothing in it that may be missing.
template <std::size_t... kIndex>
std::vector<domain::Fact> EmptyFacts(std::index_sequence<kIndex...>) {
  std::vector<domain::Fact> facts = {domain::Fact(std::in_place_index<kIndex>)...};
  for (domain::Fact& fact : facts) {
    if (auto* failed = std::get_if<domain::MeterReadingValidationFailed>(&fact)) {
      failed->refusal.rejection = domain::Rejection::kMeterIdInvalid;
    }
  }
  return facts;
}

constexpr Encoding kSpelled[] = {Encoding::kJson, Encoding::kFlat, Encoding::kCloudEvents};

// Real frames: each event full and empty, and the other messages as they come.
std::vector<std::string> Frames(Encoding encoding) {
  std::vector<std::string> frames = SampleMessages(encoding, {});
  for (const domain::EventType type : AllEventTypes()) {
    const std::optional<domain::Event> event = SampleEvent(type);
    if (event) frames.push_back(EncodeEvent(*event, encoding, kSampleEpoch));
  }
  constexpr std::size_t kCount = std::variant_size_v<domain::Fact>;
  for (const domain::Fact& fact : EmptyFacts(std::make_index_sequence<kCount>())) {
    frames.push_back(EncodeEvent({1, {}, fact}, encoding, kSampleEpoch));
  }
  return frames;
}

std::string TypeOfFrame(const json& frame) {
  const std::string type = frame["type"];
  return type.substr(type.rfind('.') + 1);
}

const json& SchemaOf(const std::string& type, Encoding encoding) {
  const std::string subprotocol = Subprotocols()[static_cast<std::size_t>(encoding)];
  if (!Messages().contains(type)) {
    static const json refuses = {{"const", "a message that the document has not"}};
    return refuses;
  }
  return At(Messages()[type]["x-payloads"][subprotocol]);
}

// What the values never show of what the schema says: a member that never comes, or one that may be
// missing or null and never is.
void ExpectNoMore(const json& schema, const std::vector<json>& values, const std::string& place) {
  if (schema.contains("$ref")) return ExpectNoMore(At(schema), values, place);
  if (schema.contains("items")) {
    std::vector<json> elements;
    for (const json& value : values) elements.insert(elements.end(), value.begin(), value.end());
    return ExpectNoMore(schema["items"], elements, place);
  }
  if (!schema.contains("properties")) return;
  for (const auto& [name, property] : schema["properties"].items()) {
    const std::string inner = place + "/" + name;
    std::vector<json> members;
    for (const json& value : values) {
      if (value.is_object() && value.contains(name)) members.push_back(value[name]);
    }
    EXPECT_THAT(members, Not(IsEmpty())) << inner << " never comes";
    const json& required = schema["required"];
    const bool is_required = std::ranges::find(required, json(name)) != required.end();
    const auto objects = std::ranges::count_if(values, [](const json& v) { return v.is_object(); });
    const bool is_missing = std::ssize(members) < objects;
    EXPECT_NE(is_required, is_missing) << inner << " is never missing";
    const json types = property.value("type", json());
    if (types.is_array() && std::ranges::find(types, json("null")) != types.end()) {
      EXPECT_NE(std::ranges::count(members, json()), 0) << inner << " is never null";
      EXPECT_LT(std::ranges::count(members, json()), std::ssize(members)) << inner;
    }
    ExpectNoMore(property, members, inner);
  }
}

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  return text.str();
}

const std::filesystem::path kBridgeFolder = WATTMINT_BRIDGE_FOLDER;

// The rows of tables of bridge/README.md below that heading.
std::vector<std::string> Rows(const std::string& heading) {
  std::istringstream readme(ReadWhole(kBridgeFolder / "README.md"));
  std::vector<std::string> rows;
  bool is_below = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("#")) is_below = line == heading;
    if (is_below && line.starts_with("| ")) rows.push_back(line);
  }
  if (!rows.empty()) rows.erase(rows.begin());  // the names of the columns
  return rows;
}

// What stands between `opening` and the next quote, wherever that comes in the text.
std::set<std::string> QuotedAfter(const std::string& text, const std::string& opening) {
  std::set<std::string> found;
  for (std::size_t at = text.find(opening); at != std::string::npos; at = text.find(opening, at)) {
    at += opening.size();
    found.insert(text.substr(at, text.find('"', at) - at));
  }
  return found;
}

TEST(AsyncApiTest, HasEveryEventTypeOfTheProtos) {
  ASSERT_EQ(AllEventTypes().size(), std::variant_size_v<domain::Fact>);
  ASSERT_EQ(EventShapes().size(), std::variant_size_v<domain::Fact>)
      << "bridge/event_shapes.cc needs one for each type";
  for (std::size_t i = 0; i < AllEventTypes().size(); ++i) {
    const domain::EventType type = AllEventTypes()[i];
    EXPECT_EQ(EventShapes()[i].name, domain::Name(type));
    EXPECT_TRUE(Messages().contains(domain::Name(type)));
  }
}

TEST(AsyncApiTest, ShowsEventsWithEveryFieldFilled) {
  for (const domain::EventType type : AllEventTypes()) {
    const std::optional<domain::Event> event = SampleEvent(type);
    ASSERT_TRUE(event.has_value()) << domain::Name(type);
    EXPECT_EQ(domain::TypeOf(event->fact), type);
    v1::Event message;
    ASSERT_TRUE(message.ParseFromString(wire::EncodePayload(event->time, event->fact)));
    const auto& fact = message.GetReflection()->GetMessage(
        message, message.GetDescriptor()->FindFieldByNumber(static_cast<int>(type)));
    std::vector<const google::protobuf::FieldDescriptor*> set;
    fact.GetReflection()->ListFields(fact, &set);
    EXPECT_EQ(std::ssize(set), fact.GetDescriptor()->field_count()) << fact.ShortDebugString();
  }
}

TEST(AsyncApiTest, SaysWhatTheFramesSay) {
  const JsonSchema strict(Document(), JsonSchema::Unknown::kForbidden);
  for (const Encoding encoding : kSpelled) {
    std::map<std::string, std::vector<json>> by_type;
    for (const std::string& text : Frames(encoding)) {
      EXPECT_TRUE(JsonValue::Parse(text).ok()) << text << " has a member twice";
      const json frame = json::parse(text);
      const std::string type = TypeOfFrame(frame);
      EXPECT_EQ(strict.Violation(frame, SchemaOf(type, encoding)), "") << text;
      by_type[type].push_back(frame);
    }
    for (const auto& [type, frames] : by_type) ExpectNoMore(SchemaOf(type, encoding), frames, type);
    for (const MessageShape& shape : kServerMessageShapes) {
      EXPECT_TRUE(by_type.contains(std::string(shape.name)))
          << shape.name << " has no sample in bridge/message_samples.cc";
    }
  }
}

TEST(AsyncApiTest, HasExamplesThatAreAsTheirSchemasSay) {
  const JsonSchema schemas(Document());
  for (const auto& [name, message] : Messages().items()) {
    EXPECT_THAT(message["examples"], Not(IsEmpty())) << name;
    for (const json& example : message["examples"]) {
      EXPECT_EQ(schemas.Violation(example["payload"], message["payload"]), "") << name;
    }
  }
  for (const auto& [name, schema] : Schemas().items()) {
    for (const json& example : schema.value("examples", json::array())) {
      EXPECT_EQ(schemas.Violation(example, schema), "") << name;
    }
  }
}

void ExpectReferencesToLead(const json& value) {
  if (value.is_object() && value.contains("$ref")) {
    const std::string target = value["$ref"];
    ASSERT_EQ(target.front(), '#');
    EXPECT_TRUE(Document().contains(json::json_pointer(target.substr(1)))) << target;
  }
  if (!value.is_structured()) return;
  for (const json& member : value) ExpectReferencesToLead(member);
}

TEST(AsyncApiTest, HasNoReferenceThatLeadsNowhere) { ExpectReferencesToLead(Document()); }

TEST(AsyncApiTest, HasAnOperationForEachMessage) {
  std::set<std::string> used;
  const json channel_messages = Document()["channels"]["ws"]["messages"];
  for (const json& operation : Document()["operations"]) {
    for (const json& message : operation["messages"]) used.insert(message["$ref"]);
    if (!operation.contains("reply")) continue;
    for (const json& message : operation["reply"]["messages"]) used.insert(message["$ref"]);
  }
  EXPECT_EQ(channel_messages.size(), Messages().size());
  for (const auto& [name, message] : channel_messages.items()) {
    EXPECT_TRUE(used.contains("#/channels/ws/messages/" + name)) << name;
  }
}

// Which alternative of Command::what the text is; nothing if it is refused.
std::optional<std::size_t> KindOf(const json& message) {
  const auto parsed = ParseCommand(message.dump());
  const auto* command = std::get_if<Command>(&parsed);
  return command == nullptr ? std::nullopt : std::optional(command->what.index());
}

struct CommandExample {
  std::string type;
  std::string schema;
  json message;
  bool is_beside;

  const json& members() const { return is_beside ? message : message["data"]; }
  json With(const std::string& name, const json& value) const {
    json changed = message;
    (is_beside ? changed : changed["data"])[name] = value;
    return changed;
  }
  json Without(const std::string& name) const {
    json changed = message;
    (is_beside ? changed : changed["data"]).erase(name);
    return changed;
  }
};

std::vector<CommandExample> CommandExamples() {
  std::vector<CommandExample> examples;
  for (const std::string_view name : CommandNames()) {
    const std::string type(name);
    for (const bool is_beside : {false, true}) {
      const std::string schema = type + (is_beside ? "Beside" : "Command");
      for (const json& message : Schemas()[schema]["examples"]) {
        examples.push_back({type, schema, message, is_beside});
      }
    }
  }
  return examples;
}

TEST(AsyncApiTest, HasExamplesOfCommandsThatTheParserTakes) {
  const std::map<std::string, std::size_t> kinds = {
      {"Authenticate", 0}, {"Subscribe", 1}, {"Unsubscribe", 2}, {"Ping", 3}, {"SubmitReading", 4}};
  ASSERT_EQ(kinds.size(), CommandShapes().size());
  ASSERT_EQ(kinds.size(), CommandNames().size());
  std::set<std::string> shown;
  for (const CommandExample& example : CommandExamples()) {
    EXPECT_EQ(KindOf(example.message), kinds.at(example.type)) << example.message;
    shown.insert(example.schema);
    for (const json& spelling : Schemas()[example.schema]["properties"]["type"]["enum"]) {
      json respelled = example.message;
      respelled["type"] = spelling;
      EXPECT_EQ(KindOf(respelled), kinds.at(example.type)) << respelled;
    }
  }
  EXPECT_EQ(shown.size(), 2 * kinds.size());
}

// Where they differ, one of them is wrong.
TEST(AsyncApiTest, RefusesTheCommandsThatTheParserRefuses) {
  const JsonSchema schemas(Document());
  int refused_count = 0;
  const auto compare = [&](const CommandExample& example, const json& message) {
    const std::string violation = schemas.Violation(message, Schemas()[example.schema]);
    if (!violation.empty()) ++refused_count;
    EXPECT_EQ(KindOf(message).has_value(), violation.empty()) << message << " " << violation;
  };
  for (const CommandExample& example : CommandExamples()) {
    compare(example, example.With("unknown", 7));
    for (const auto& [name, value] : example.members().items()) {
      compare(example, example.Without(name));
      if (example.is_beside && name == "type") continue;  // any case of letters is good
      compare(example, example.With(name, nullptr));
      if (example.type == "Ping") continue;  // whose timestamp is passed over if it is no number
      compare(example, example.With(name, {{"unknown", 7}}));
      compare(example, example.With(name, json::array({json::array()})));
      compare(example, example.With(name, true));
    }
    json other = example.message;
    other["id"] = json::array();
    compare(example, other);
  }
  EXPECT_GT(refused_count, 100);
}

TEST(AsyncApiTest, ShowsEveryMemberOfACommand) {
  std::map<std::string, std::vector<json>> by_type;
  for (const CommandExample& example : CommandExamples()) {
    if (!example.is_beside) by_type[example.type].push_back(example.message["data"]);
  }
  for (const CommandShape& shape : CommandShapes()) {
    const std::vector<json>& shown = by_type[std::string(shape.message.name)];
    for (const Member& member : shape.message.members) {
      EXPECT_TRUE(
          std::ranges::any_of(shown, [&](const json& data) { return data.contains(member.name); }))
          << shape.message.name << " " << member.name;
    }
  }
}

// A member that the parser reads and the document lacks would be seen by no example.
TEST(AsyncApiTest, HasEveryMemberThatTheParserReads) {
  std::set<std::string> documented;
  const auto add = [&documented](std::span<const Member> members) {
    for (const Member& member : members) documented.insert(std::string(member.name));
  };
  for (const CommandShape& shape : CommandShapes()) {
    add(shape.message.members);
    for (const Member& member : shape.message.members) add(member.members);
  }
  std::set<std::string> read;
  for (const char* file : {"protocol.cc", "reading_message.cc"}) {
    const std::string source = ReadWhole(kBridgeFolder / file);
    for (const char* opening : {"(data, \"", "(*given, \"", "data.Find(\""}) {
      read.merge(QuotedAfter(source, opening));
    }
  }
  EXPECT_GT(read.size(), 15u) << "the parser is written in another way now";
  for (const std::string& name : read) EXPECT_TRUE(documented.contains(name)) << name;
}

TEST(AsyncApiTest, TakesTheNamesOfChannelsThatTheParserTakes) {
  const JsonSchema schemas(Document());
  const json& schema = Document()["components"]["schemas"]["Channel"];
  EXPECT_EQ(Document()["x-channels"].size(), Channel::Shapes().size());
  std::set<Channel::Kind> kinds;
  for (const Channel::Shape& shape : Channel::Shapes()) {
    const std::string id =
        shape.kind == Channel::Kind::kWallet ? "So11111111111111111111111111111111111111112" : "7";
    const std::string name = std::string(shape.prefix) + (shape.parameter.empty() ? "" : id);
    const absl::StatusOr<Channel> channel = Channel::Parse(name);
    ASSERT_TRUE(channel.ok()) << name;
    EXPECT_EQ(channel->kind, shape.kind);
    kinds.insert(channel->kind);
    EXPECT_EQ(schemas.Violation(name, schema), "");
    json object = {{"type", shape.type}, {"params", {{shape.parameter, id}}}};
    if (shape.parameter.empty()) object["params"] = nullptr;
    EXPECT_EQ(schemas.Violation(object, schema), "");
  }
  EXPECT_EQ(kinds.size(), Channel::Shapes().size());
  for (const char* name : {"market:7", "trades", "nowhere", "meter:", ""}) {
    EXPECT_NE(schemas.Violation(name, schema), "") << name;
    EXPECT_FALSE(Channel::Parse(name).ok()) << name;
  }
}

// Answers of HTTP are partly made where the table can't be seen, so their codes are text.
TEST(AsyncApiTest, HasEveryErrorCodeOfHttp) {
  std::set<std::string> documented;
  for (const ErrorCode& code : kErrorCodes) {
    if (code.where != ErrorCode::Where::kFrame) documented.insert(std::string(code.name));
  }
  std::set<std::string> answered;
  for (const auto& entry : std::filesystem::directory_iterator(kBridgeFolder)) {
    if (entry.path().extension() != ".cc") continue;
    const std::string source = ReadWhole(entry.path());
    for (int status = 400; status < 600; ++status) {
      answered.merge(QuotedAfter(source, fmt::format("Response({}, \"", status)));
    }
  }
  EXPECT_GT(answered.size(), 5u) << "answers are made in another way now";
  for (const std::string& code : answered) EXPECT_TRUE(documented.contains(code)) << code;
}

std::string_view Word(ErrorCode::Reconnect reconnect) {
  return reconnect == ErrorCode::Reconnect::kYes ? "yes" : "no";
}

TEST(ReadmeTest, HasTheErrorCodesOfTheCode) {
  std::vector<std::string> expected;
  for (const ErrorCode& code : kErrorCodes) {
    constexpr std::string_view kWhere[] = {"frame", "HTTP", "both"};
    expected.push_back(fmt::format("| `{}` | {} | {} | {} | {} |", code.name,
                                   kWhere[static_cast<int>(code.where)], code.meaning,
                                   Word(code.reconnect), code.remedy));
  }
  EXPECT_EQ(Rows("### Error codes"), expected);
}

TEST(ReadmeTest, HasTheCloseCodesOfTheCode) {
  std::vector<std::string> expected;
  for (const CloseCode& code : kCloseCodes) {
    expected.push_back(fmt::format("| {} | {} | {}{}{} |", code.number, code.meaning,
                                   Word(code.reconnect), code.remedy.empty() ? "" : ", ",
                                   code.remedy));
  }
  EXPECT_EQ(Rows("### Close codes"), expected);
}

void ExpectRowsOf(const std::string& heading, std::span<const MessageShape> shapes) {
  std::vector<std::string> rows = Rows(heading);
  for (const MessageShape& shape : shapes) {
    const auto row = std::ranges::find_if(rows, [&](const std::string& candidate) {
      return candidate.starts_with(fmt::format("| `{}`", shape.name));
    });
    ASSERT_NE(row, rows.end()) << heading << " lacks " << shape.name;
    if (row->find("as the event") != std::string::npos) continue;
    for (const Member& member : shape.members) {
      EXPECT_THAT(*row, testing::HasSubstr(fmt::format("`{}`", member.name))) << shape.name;
    }
  }
}

TEST(ReadmeTest, HasTheMessagesOfTheCatalogue) {
  ExpectRowsOf("### Server messages", kServerMessageShapes);
  ExpectRowsOf("### Event types (they have `seq`; field names are stable, members may be added)",
               EventShapes());
}

}  // namespace
}  // namespace wattmint::bridge
