// SPDX-License-Identifier: Apache-2.0

// One client message, as bytes: it is a command, or one error, and what either says is well-formed.

#include "bridge/json_value.h"
#include "bridge/json_writer.h"
#include "bridge/protocol.h"
#include "bridge/server_messages.h"
#include "core/base/assert.h"
#include "core/base/time_format.h"
#include "tests/fuzz/target.h"
#include "tests/support/fake_clock.h"

namespace wattmint::fuzz {
namespace {

using bridge::Channel;
using bridge::Command;
using bridge::JsonValue;
using bridge::ProtocolError;

constexpr std::size_t kChannelBytesMax = 64;
constexpr char kSizeInTwoBytes = 126;  // of a frame

Command MustParse(const std::string& text) {
  auto parsed = bridge::ParseCommand(text);
  const auto* error = std::get_if<ProtocolError>(&parsed);
  WATTMINT_ASSERT(error == nullptr, "refused as {}: {}", error->code, text);
  return std::get<Command>(std::move(parsed));
}

std::string Quoted(const std::vector<Channel>& channels) {
  std::string list;
  for (const Channel& channel : channels) {
    if (!list.empty()) list += ',';
    bridge::AppendJsonString(channel.Name(), list);
  }
  return list;
}

// The id, which is JSON, comes back as it is.
void CheckId(const std::string& id) {
  if (id.empty()) return;
  WATTMINT_ASSERT(MustParse(R"({"type":"Ping","id":)" + id + "}").id == id, "the id {}", id);
}

// What the error is sent as can be read, and says no more than the client may know of it.
void CheckError(const ProtocolError& error) {
  CheckId(error.id);
  WATTMINT_ASSERT(!error.code.empty() && !error.message.empty(), "an error without words");
  WATTMINT_ASSERT(error.channel.size() <= kChannelBytesMax, "the channel {}", error.channel);
  test::FakeClock clock;
  const std::string frame = *bridge::ServerMessages(clock, bridge::Encoding::kJson).Error(error);
  const std::string text = frame.substr(frame[1] == kSizeInTwoBytes ? 4 : 2);
  WATTMINT_ASSERT(JsonValue::Parse(text).ok(), "not JSON: {}", text);
}

// The canonical names of channels are the same channels.
void CheckChannels(const std::string& type, const std::vector<Channel>& channels) {
  for (const Channel& channel : channels) {
    const absl::StatusOr<Channel> again = Channel::Parse(channel.Name());
    WATTMINT_ASSERT(again.ok() && *again == channel, "the channel {}", channel.Name());
  }
  if (channels.empty() || channels.size() > bridge::kChannelsPerMessageMax) return;
  const Command again =
      MustParse(R"({"type":")" + type + R"(","channels":[)" + Quoted(channels) + "]}");
  const auto* subscribe = std::get_if<bridge::SubscribeCommand>(&again.what);
  const auto* unsubscribe = std::get_if<bridge::UnsubscribeCommand>(&again.what);
  WATTMINT_ASSERT((subscribe != nullptr ? subscribe->channels : unsubscribe->channels) == channels,
                  "other channels than {}", Quoted(channels));
}

void Check(const bridge::AuthenticateCommand& command) {
  WATTMINT_ASSERT(command.credential.kind != client::Credential::Kind::kNone, "no credential");
  WATTMINT_ASSERT(!command.credential.text.empty(), "an empty credential");
}

void Check(const bridge::SubscribeCommand& command) {
  WATTMINT_ASSERT(command.channels.empty() == command.filter.has_value(), "both or neither");
  using Kind = bridge::StreamStart::Kind;
  WATTMINT_ASSERT((command.start.kind == Kind::kResume) == !command.start.cursor.empty(),
                  "the cursor {}", command.start.cursor);
  WATTMINT_ASSERT(command.start.last_sequence >= 0, "{}", command.start.last_sequence);
  CheckChannels("Subscribe", command.channels);
  if (!command.filter) return;
  domain::EventFilter filter = *command.filter;
  WATTMINT_ASSERT(filter.Normalize().ok() && filter == *command.filter, "not normalized");
}

void Check(const bridge::UnsubscribeCommand& command) {
  CheckChannels("Unsubscribe", command.channels);
}

void Check(const bridge::PingCommand& command) {
  if (command.timestamp.empty()) return;
  const Command again = MustParse(R"({"type":"ping","timestamp":)" + command.timestamp + "}");
  WATTMINT_ASSERT(std::get<bridge::PingCommand>(again.what).timestamp == command.timestamp,
                  "the timestamp {}", command.timestamp);
}

void Check(const bridge::SubmitReadingCommand& command) {
  const domain::Reading& reading = command.reading;
  WATTMINT_ASSERT(!reading.meter_id.empty(), "no meter");
  WATTMINT_ASSERT(reading.length >= domain::Duration::zero(), "{}", reading.length.count());
  WATTMINT_ASSERT(reading.meter_counter >= 0, "{}", reading.meter_counter);
  const Command again = MustParse(R"({"type":"SubmitReading","meter_id":"m","kwh_amount":)" +
                                  reading.energy.ToString() + R"(,"timestamp":")" +
                                  base::FormatRfc3339(reading.start) + "\"}");
  const domain::Reading& same = std::get<bridge::SubmitReadingCommand>(again.what).reading;
  WATTMINT_ASSERT(same.energy == reading.energy && same.start == reading.start, "{} kWh",
                  reading.energy.ToString());
}

}  // namespace

std::vector<std::string> Seeds() {
  return {
      R"({"type":"Authenticate","id":"1","data":{"token":"a.b.c"}})",
      R"({"type":"authenticate","api_key":"k","id":9007199254740991})",
      R"({"type":"Authenticate","data":{"ticket":"\u00e9\ud83d\ude00"},"id":null})",
      R"({"type":"Subscribe","id":"2","data":{"channels":["user:a@b","meter:AUS-17","batches",)"
      R"("system","system_alerts","job:0198-a","task:7",)"
      R"("wallet:6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur"],"resume":"c","last_seq":1042}})",
      R"({"type":"Subscribe","data":{"channels":[{"type":"Meter","params":{"meter_id":"m"}},)"
      R"({"type":"SystemStatus","params":null},{"type":"Task","params":{"task_id":7}}]}})",
      R"({"type":"Subscribe","data":{"event_types":["TokensMinted","TaskCreated"],)"
      R"("meters":["A","B"],"min_amount":0.500000001,"start":"beginning"}})",
      R"({"type":"SUBSCRIBE","data":{"room":"job:0198","job_id":"0198"},"start":"now"})",
      R"({"type":"Subscribe","min_amount":"1.5","meters":null})",
      R"({"type":"Unsubscribe","id":"4","data":{"channels":["meter:AUS-17"]}})",
      R"({"type":"unsubscribe","channels":[]})",
      R"({"type":"Ping","id":"\"\\\u0000\n","data":{"timestamp":-1.5e+300}})",
      R"({"type":"Ping","pad":[[[[[[[]]]]]]],"a":true,"b":false,"c":null,"d":1E400})",
      R"({"type":"Subscribe","channels":["trades","market:x"]})",
      R"({"type":"SubmitReading","id":5,"data":{"meter_id":"m","kwh_amount":1.25,)"
      R"("quality":"final","timestamp":"2026-01-05T10:00:00.123456+01:00","interval_seconds":900,)"
      R"("channel":"consumption","telemetry":{"voltage_volts":230.5},"meter_counter":7}})",
      R"({"type":"submitreading","meter_id":"m","kwh_amount":"-0.000000001",)"
      R"("timestamp":"1969-12-31T23:59:60Z"})",
  };
}

}  // namespace wattmint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace wattmint;
  const auto parsed =
      bridge::ParseCommand(std::string_view(reinterpret_cast<const char*>(bytes), size));
  if (const auto* error = std::get_if<bridge::ProtocolError>(&parsed)) {
    fuzz::CheckError(*error);
  } else {
    const auto& command = std::get<bridge::Command>(parsed);
    fuzz::CheckId(command.id);
    std::visit([](const auto& what) { fuzz::Check(what); }, command.what);
  }
  return 0;
}
