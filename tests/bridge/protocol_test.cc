// SPDX-License-Identifier: Apache-2.0
#include "bridge/protocol.h"

#include "core/base/time_format.h"

#include <gmock/gmock.h>

#include <random>

namespace wattmint::bridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Command Parse(std::string_view text) {
  auto result = ParseCommand(text);
  if (const auto* error = std::get_if<ProtocolError>(&result)) {
    ADD_FAILURE() << text << ": " << error->code << " " << error->message;
    return {};
  }
  return std::get<Command>(std::move(result));
}

template <typename What>
What ParseAs(std::string_view text) {
  Command command = Parse(text);
  if (auto* what = std::get_if<What>(&command.what)) return std::move(*what);
  ADD_FAILURE() << text << " is another command";
  return {};
}

ProtocolError ParseError(std::string_view text) {
  auto result = ParseCommand(text);
  if (auto* error = std::get_if<ProtocolError>(&result)) return std::move(*error);
  ADD_FAILURE() << text << " was taken";
  return {};
}

std::vector<std::string> Names(const std::vector<Channel>& channels) {
  std::vector<std::string> names;
  for (const Channel& channel : channels) names.push_back(channel.Name());
  return names;
}

TEST(ProtocolTest, ReadsTheThreeSpellingsOfASubscription) {
  for (const char* text :
       {R"({"type":"subscribe","channels":["meter:m"]})",
        R"({"type":"Subscribe","data":{"channels":["meter:m"]}})",
        R"({"type":"Subscribe","data":{"channels":[{"type":"Meter","params":{"meter_id":"m"}}]}})",
        R"({"type":"SUBSCRIBE","data":{"room":"meter:m","meter_id":"m"}})",
        R"({"type":"sUbScRiBe","room":"meter:m","data":null})"}) {
    EXPECT_THAT(Names(ParseAs<SubscribeCommand>(text).channels), ElementsAre("meter:m")) << text;
  }
}

TEST(ProtocolTest, AcceptsNullParams) {  // S3-63
  const auto command = ParseAs<SubscribeCommand>(
      R"({"type":"Subscribe","data":{"channels":[{"type":"SystemStatus","params":null},)"
      R"({"type":"Batches"},{"type":"Task","params":{"task_id":7}}]}})");
  EXPECT_THAT(Names(command.channels), ElementsAre("system", "batches", "task:7"));
}

TEST(ProtocolTest, ReadsAnEventFilterExactly) {
  const auto command = ParseAs<SubscribeCommand>(
      R"({"type":"Subscribe","data":{"event_types":["TokensMinted","task_created",)"
      R"("BATCH_MINTING_COMPLETED"],"meters":["b","a","a"],"min_amount":0.100000001}})");
  ASSERT_TRUE(command.filter.has_value());
  EXPECT_THAT(command.filter->types, ElementsAre(domain::EventType::kTokensMinted,
                                                 domain::EventType::kBatchMintingCompleted,
                                                 domain::EventType::kTaskCreated));
  EXPECT_THAT(command.filter->meter_ids, ElementsAre("a", "b"));
  EXPECT_EQ(command.filter->energy_min->nano_kwh(), 100'000'001);
  EXPECT_THAT(command.channels, IsEmpty());
}

TEST(ProtocolTest, TakesAnEmptyFilterForEverything) {
  for (const char* text : {R"({"type":"Subscribe","data":{"event_types":[]}})",
                           R"({"type":"Subscribe","data":{"event_types":null}})",
                           R"({"type":"Subscribe","data":{"meters":[],"min_amount":null}})"}) {
    EXPECT_TRUE(ParseAs<SubscribeCommand>(text).filter->IsEmpty()) << text;
  }
}

TEST(ProtocolTest, ReadsWhereToStart) {
  using Kind = StreamStart::Kind;
  const auto start = [](const std::string& members) {
    return ParseAs<SubscribeCommand>(R"({"type":"Subscribe","data":{"meters":[])" + members + "}}")
        .start;
  };
  EXPECT_EQ(start("").kind, Kind::kNow);
  EXPECT_FALSE(start("").is_given);
  EXPECT_TRUE(start(R"(,"start":"now")").is_given);
  EXPECT_EQ(start(R"(,"start":"beginning")").kind, Kind::kBeginning);
  const StreamStart resume = start(R"(,"resume":"abc","last_seq":12)");
  EXPECT_EQ(resume.kind, Kind::kResume);
  EXPECT_EQ(resume.cursor, "abc");
  EXPECT_EQ(resume.last_sequence, 12);
  EXPECT_EQ(start(R"(,"resume":null,"last_seq":0)").kind, Kind::kNow);
}

TEST(ProtocolTest, ReadsTheOtherCommands) {
  using Kind = client::Credential::Kind;
  EXPECT_EQ(ParseAs<AuthenticateCommand>(R"({"type":"Authenticate","data":{"token":"t"}})")
                .credential.kind,
            Kind::kBearer);
  EXPECT_EQ(
      ParseAs<AuthenticateCommand>(R"({"type":"authenticate","api_key":"k"})").credential.text,
      "k");
  EXPECT_EQ(ParseAs<AuthenticateCommand>(R"({"type":"authenticate","ticket":"k","token":null})")
                .credential.kind,
            Kind::kTicket);
  EXPECT_THAT(
      ParseAs<UnsubscribeCommand>(R"({"type":"Unsubscribe","data":{"channels":null}})").channels,
      IsEmpty());
  EXPECT_THAT(
      Names(
          ParseAs<UnsubscribeCommand>(R"({"type":"unsubscribe","channels":["user:u"]})").channels),
      ElementsAre("user:u"));
  EXPECT_EQ(ParseAs<PingCommand>(R"({"type":"Ping","data":{"timestamp":1767608100123}})").timestamp,
            "1767608100123");
  EXPECT_EQ(ParseAs<PingCommand>(R"({"type":"PING"})").timestamp, "");
  EXPECT_EQ(ParseAs<PingCommand>(R"({"type":"PING","timestamp":"x"})").timestamp, "");
}

TEST(ProtocolTest, KeepsTheIdAsItCame) {
  EXPECT_EQ(Parse(R"({"type":"Ping"})").id, "");
  EXPECT_EQ(Parse(R"({"type":"Ping","id":null})").id, "");
  EXPECT_EQ(Parse(R"({"type":"Ping","id":7})").id, "7");
  EXPECT_EQ(Parse(R"({"type":"Ping","id":"a\"\u00e9"})").id, "\"a\\\"é\"");
  EXPECT_EQ(ParseError(R"({"type":"Nothing","id":"x"})").id, "\"x\"");
}

TEST(ProtocolTest, NamesWhatIsWrong) {
  struct Row {
    std::string text;
    std::string_view code;
    const char* why;
  };
  const std::string deep =
      R"({"type":"Ping","data":)" + std::string(20, '[') + "1" + std::string(20, ']') + "}";
  std::string many = R"({"type":"subscribe","channels":[)";
  for (int i = 0; i < 21; ++i)
    many += (i > 0 ? ",\"meter:m" : "\"meter:m") + std::to_string(i) + '"';
  many += "]}";
  const std::string long_id = std::string(65, 'i');
  const std::string long_key = std::string(9'000, 'k');
  const std::vector<Row> rows = {
      {"", error_code::kInvalidMessage, "nothing"},
      {"hello", error_code::kInvalidMessage, "no JSON"},
      {"[]", error_code::kInvalidMessage, "no object"},
      {"null", error_code::kInvalidMessage, "null"},
      {deep, error_code::kInvalidMessage, "too deep"},
      {R"({"type":"Ping","type":"Ping"})", error_code::kInvalidMessage, "a member twice"},
      {R"({"type":"Ping","id":[]})", error_code::kInvalidMessage, "an id that is a list"},
      {R"({"type":"Ping","id":-1})", error_code::kInvalidMessage, "a negative id"},
      {R"({"type":"Ping","id":1.5})", error_code::kInvalidMessage, "a broken id"},
      {R"({"type":"Ping","id":9007199254740992})", error_code::kInvalidMessage, "an id of 2^53"},
      {R"({"type":"Ping","id":")" + long_id + "\"}", error_code::kInvalidMessage, "a long id"},
      {R"({"type":"Ping","data":7})", error_code::kInvalidMessage, "data that is no object"},
      {"{}", error_code::kInvalidMessageType, "no type"},
      {R"({"type":7})", error_code::kInvalidMessageType, "a type that is no text"},
      {R"({"type":"PlaceOrder"})", error_code::kInvalidMessageType, "an unknown type"},
      {R"({"type":"Authenticate"})", error_code::kInvalidAuthentication, "no credential"},
      {R"({"type":"Authenticate","token":7})", error_code::kInvalidAuthentication, "a number"},
      {R"({"type":"Authenticate","token":"a","ticket":"b"})", error_code::kInvalidAuthentication,
       "two credentials"},
      {R"({"type":"Authenticate","token":")" + long_key + "\"}", error_code::kInvalidAuthentication,
       "too long"},
      {R"({"type":"Subscribe"})", error_code::kInvalidSubscription, "neither channels nor filter"},
      {R"({"type":"Subscribe","channels":[]})", error_code::kInvalidSubscription, "no channels"},
      {R"({"type":"Subscribe","channels":"a"})", error_code::kInvalidSubscription, "no list"},
      {R"({"type":"Subscribe","channels":[7]})", error_code::kInvalidSubscription, "a number"},
      {R"({"type":"Subscribe","channels":[{"params":{}}]})", error_code::kInvalidSubscription,
       "an object without a type"},
      {R"({"type":"Subscribe","room":7})", error_code::kInvalidSubscription, "a room of 7"},
      {many, error_code::kInvalidSubscription, "21 channels"},
      {R"({"type":"Subscribe","channels":["meter:m"],"meters":[]})",
       error_code::kInvalidSubscription, "channels and a filter"},
      {R"({"type":"Subscribe","event_types":["Nothing"]})", error_code::kInvalidSubscription,
       "an unknown event type"},
      {R"({"type":"Subscribe","event_types":[7]})", error_code::kInvalidSubscription, "a number"},
      {R"({"type":"Subscribe","event_types":{}})", error_code::kInvalidSubscription, "an object"},
      {R"({"type":"Subscribe","meters":["a b"]})", error_code::kInvalidSubscription, "no meter id"},
      {R"({"type":"Subscribe","min_amount":-1})", error_code::kInvalidSubscription, "negative"},
      {R"({"type":"Subscribe","min_amount":1e3})", error_code::kInvalidSubscription, "exponent"},
      {R"({"type":"Subscribe","min_amount":0.0000000001})", error_code::kInvalidSubscription,
       "ten digits"},
      {R"({"type":"Subscribe","min_amount":99999999999999999999})",
       error_code::kInvalidSubscription, "too big"},
      {R"({"type":"Subscribe","min_amount":"NaN"})", error_code::kInvalidSubscription, "NaN"},
      {R"({"type":"Subscribe","min_amount":NaN})", error_code::kInvalidMessage, "NaN, bare"},
      {R"({"type":"Subscribe","min_amount":[]})", error_code::kInvalidSubscription, "a list"},
      {R"({"type":"Subscribe","meters":[],"start":"never"})", error_code::kInvalidSubscription,
       "an unknown start"},
      {R"({"type":"Subscribe","meters":[],"start":"now","resume":"c"})",
       error_code::kInvalidSubscription, "start and resume"},
      {R"({"type":"Subscribe","meters":[],"last_seq":-1})", error_code::kInvalidSubscription,
       "a negative sequence"},
      {R"({"type":"Subscribe","meters":[],"last_seq":99999999999999999999})",
       error_code::kInvalidSubscription, "a huge sequence"},
      {R"({"type":"Subscribe","meters":[],"resume":7})", error_code::kInvalidSubscription,
       "a cursor of 7"},
      {R"({"type":"Unsubscribe","channels":7})", error_code::kInvalidUnsubscription, "no list"},
      {R"({"type":"Unsubscribe","channels":["x"]})", error_code::kInvalidRoom, "no channel"},
  };
  for (const Row& row : rows) EXPECT_EQ(ParseError(row.text).code, row.code) << row.why;
}

TEST(ProtocolTest, NamesTheChannelThatIsNone) {
  for (const std::string room : {"j", "jo", "job", "job:", "x:yz", "market:1"}) {
    const ProtocolError error =
        ParseError(R"({"type":"SUBSCRIBE","id":1,"data":{"room":")" + room + "\"}}");
    EXPECT_EQ(error.code, error_code::kInvalidRoom);
    EXPECT_EQ(error.channel, room);
    EXPECT_EQ(error.id, "1");
  }
  const ProtocolError error =
      ParseError(R"({"type":"Subscribe","channels":["meter:m",{"type":"Markets","params":null}]})");
  EXPECT_EQ(error.code, error_code::kInvalidRoom);
  EXPECT_EQ(error.channel, "Markets");
  EXPECT_THAT(error.message, HasSubstr("not offered"));
}

TEST(ProtocolTest, SurvivesEveryTruncationAndRandomDamage) {
  const std::string whole =
      R"({"type":"Subscribe","id":"7","data":{"channels":["user:a",{"type":"Task","params":)"
      R"({"task_id":"9"}}],"resume":"c","last_seq":12}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ParseError(whole.substr(0, size)).code, error_code::kInvalidMessage) << size;
  }
  std::mt19937 generator(20260105);
  for (int i = 0; i < 5'000; ++i) {
    std::string text = whole;
    for (int damage = 0; damage < 3; ++damage) {
      const std::size_t place = generator() % text.size();
      switch (generator() % 3) {
        case 0:
          text[place] = static_cast<char>(generator());
          break;
        case 1:
          text.erase(place, generator() % 4);
          break;
        default:
          text.insert(place, 1, "{}[]\",:\\0e-"[generator() % 11]);
      }
    }
    ParseCommand(text);
  }
}

TEST(ProtocolTest, ReadsReadings) {
  const auto whole = ParseCommand(
      R"({"type":"submitReading","data":{"meter_id":"m","kwh_amount":"0.000000001",)"
      R"("timestamp":"2026-01-05T10:00:00+01:00","interval_seconds":900,"quality":"final",)"
      R"("channel":"consumption","request_id":"r","meter_signature":"s","meter_counter":7,)"
      R"("telemetry":{"voltage_volts":230.5}}})");
  ASSERT_TRUE(std::holds_alternative<Command>(whole));
  const domain::Reading& reading =
      std::get<SubmitReadingCommand>(std::get<Command>(whole).what).reading;
  EXPECT_EQ(reading.meter_id, "m");
  EXPECT_EQ(reading.energy.nano_kwh(), 1);
  EXPECT_EQ(reading.start, *base::ParseRfc3339("2026-01-05T09:00:00Z"));
  EXPECT_EQ(reading.length, std::chrono::minutes(15));
  EXPECT_EQ(reading.quality, domain::Quality::kFinal);
  EXPECT_EQ(reading.channel, domain::Channel::kConsumption);
  EXPECT_EQ(reading.request_id, "r");
  EXPECT_EQ(reading.meter_signature, "s");
  EXPECT_EQ(reading.meter_counter, 7);
  EXPECT_EQ(reading.telemetry.voltage_volts, 230.5);
  const auto point = ParseCommand(R"({"type":"SubmitReading","meter_id":"m","kwh_amount":1,)"
                                  R"("timestamp":"2026-01-05T10:00:00Z"})");
  EXPECT_TRUE(std::get<SubmitReadingCommand>(std::get<Command>(point).what).reading.IsPoint());
}

TEST(ProtocolTest, NamesWhatIsWrongWithAReading) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"("kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z")", "meter_id"},
      {R"("meter_id":"m","timestamp":"2026-01-05T10:00:00Z")", "kwh_amount"},
      {R"("meter_id":"m","kwh_amount":1)", "timestamp"},
      {R"("meter_id":"m","kwh_amount":1e3,"timestamp":"2026-01-05T10:00:00Z")", "kwh_amount"},
      {R"("meter_id":"m","kwh_amount":true,"timestamp":"2026-01-05T10:00:00Z")", "kwh_amount"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"yesterday")", "timestamp"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":5)", "timestamp"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z","quality":"good")",
       "quality"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z","channel":"x")",
       "channel"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z",)"
       R"("interval_seconds":-1)",
       "interval_seconds"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z",)"
       R"("interval_seconds":9007199254740991)",
       "interval_seconds"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z","telemetry":[])",
       "telemetry"},
      {R"("meter_id":"m","kwh_amount":1,"timestamp":"2026-01-05T10:00:00Z",)"
       R"("telemetry":{"power_watts":"1e999"})",
       "power_watts"},
  };
  for (const auto& [members, name] : bad) {
    const auto parsed = ParseCommand(R"({"type":"SubmitReading","data":{)" + members + "}}");
    ASSERT_TRUE(std::holds_alternative<ProtocolError>(parsed)) << members;
    const auto& error = std::get<ProtocolError>(parsed);
    EXPECT_EQ(error.code, "INVALID_READING_DATA") << members;
    EXPECT_THAT(error.message, testing::HasSubstr(name)) << members;
  }
}

TEST(ProtocolTest, ReadsListsOfChannels) {
  const auto channels = ParseChannelList(" user:u, system,");
  ASSERT_TRUE(std::holds_alternative<std::vector<Channel>>(channels));
  EXPECT_EQ(std::get<std::vector<Channel>>(channels),
            (std::vector<Channel>{{Channel::Kind::kUser, "u"}, {Channel::Kind::kSystem, ""}}));
  EXPECT_TRUE(std::get<std::vector<Channel>>(ParseChannelList("")).empty());
  const auto bad = std::get<ProtocolError>(ParseChannelList("system,nothing:1"));
  EXPECT_EQ(bad.code, "INVALID_ROOM");
  EXPECT_EQ(bad.channel, "nothing:1");
  std::string many;
  for (int i = 0; i <= 20; ++i) many += "system,";
  EXPECT_EQ(std::get<ProtocolError>(ParseChannelList(many)).code, "INVALID_SUBSCRIPTION_DATA");
}

}  // namespace
}  // namespace wattmint::bridge
