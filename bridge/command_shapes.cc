// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_catalogue.h"

#include <array>

namespace wattmint::bridge {
namespace command_shape {

using enum MemberType;
using enum Presence;
using Names = std::span<const std::string_view>;

constexpr auto kAuthenticate = std::to_array<Member>({
    {"token", kText, kSometimes, "A JSON Web Token, or an API key"},
    {"api_key", kText, kSometimes, "An API key"},
    {"ticket", kText, kSometimes, "A ticket of `POST /ws/ticket`, good for one use"},
});
constexpr auto kToken = std::to_array<std::string_view>({"token"});
constexpr auto kApiKey = std::to_array<std::string_view>({"api_key"});
constexpr auto kTicket = std::to_array<std::string_view>({"ticket"});
constexpr auto kAuthenticateChoices = std::to_array<Names>({kToken, kApiKey, kTicket});
constexpr auto kAuthenticateExamples = std::to_array<std::string_view>({
    R"({"token":"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"})",
    R"({"api_key":"wm_2f1c0a97_c2VjcmV0"})",
    R"({"ticket":"dGlja2V0"})",
});

constexpr auto kSubscribe = std::to_array<Member>({
    {"channels", kChannels, kSometimes, "1 to 20 channels, which are added to what there is"},
    {"room", kText, kSometimes, "One channel, besides `channels`"},
    {"event_types", kWords, kSometimesOrNull, "A filter: types of events; empty: any",
     EventTypeWords},
    {"meters", kTexts, kSometimesOrNull, "A filter: ids of meters; empty: any"},
    {"min_amount", kDecimalOrText, kSometimesOrNull, "A filter: lowest energy in kWh, included"},
    {"start", kWord, kSometimesOrNull, "Where a new stream begins; \"now\" if nothing is said",
     [] {
       return std::vector<std::string_view>{"now", "beginning"};
     }},
    {"resume", kText, kSometimesOrNull, "Begin behind this cursor; not with `start`"},
    {"last_seq", kCount, kSometimesOrNull, "With `resume`: the newest `seq` that was seen"},
});
constexpr auto kByChannel = std::to_array<std::string_view>({"channels", "room"});
constexpr auto kByFilter = std::to_array<std::string_view>({"event_types", "meters", "min_amount"});
constexpr auto kSubscribeChoices = std::to_array<Names>({kByChannel, kByFilter});
constexpr auto kSubscribeExamples = std::to_array<std::string_view>({
    R"({"channels":["user:ana","meter:AUS-17"],"start":"beginning"})",
    R"({"channels":[{"type":"Meter","params":{"meter_id":"AUS-17"}},
                    {"type":"SystemStatus","params":null}]})",
    R"({"room":"job:01890a5d-ac96-7ab2-9c1f-3d2b8a6e4f10","resume":"Y3Vyc29y","last_seq":1042})",
    R"({"event_types":["TokensMinted"],"meters":["AUS-17"],"min_amount":0.5})",
    R"({"min_amount":"0.000000001"})",
});

constexpr auto kUnsubscribe = std::to_array<Member>({
    {"channels", kChannels, kSometimesOrNull, "What to unsubscribe; absent or empty: everything"},
    {"room", kText, kSometimesOrNull, "One channel, besides `channels`"},
});
constexpr auto kUnsubscribeExamples = std::to_array<std::string_view>({
    R"({"channels":["meter:AUS-17"]})",
    R"({"room":"user:ana"})",
    R"({})",
});

constexpr auto kTelemetry = std::to_array<Member>({
    {"voltage_volts", kDecimalOrText, kSometimesOrNull, "Voltage"},
    {"current_amperes", kDecimalOrText, kSometimesOrNull, "Current"},
    {"power_watts", kDecimalOrText, kSometimesOrNull, "Power"},
    {"frequency_hertz", kDecimalOrText, kSometimesOrNull, "Frequency"},
});
constexpr auto kSubmitReading = std::to_array<Member>({
    {"meter_id", kText, kAlways, "The meter"},
    {"kwh_amount", kDecimalOrText, kAlways, "Energy in kWh"},
    {"timestamp", kTime, kAlways, "Start of the interval"},
    {"interval_seconds", kCount, kSometimesOrNull, "Its length; absent or 0: a point reading"},
    {"quality", kWord, kSometimesOrNull, "\"actual\" if nothing is said", QualityWords},
    {"channel", kWord, kSometimesOrNull, "\"generation\" if nothing is said", EnergyChannelWords},
    {"request_id", kText, kSometimesOrNull, "The client's own name of this reading"},
    {"meter_signature", kText, kSometimesOrNull, "By the meter's key"},
    {"meter_counter", kCount, kSometimesOrNull, "The meter's own count of what it signed"},
    {"telemetry", kObject, kSometimesOrNull, "What else the meter measured", nullptr, kTelemetry},
});
constexpr auto kSubmitReadingExamples = std::to_array<std::string_view>({
    R"({"meter_id":"AUS-17","kwh_amount":1.25,"timestamp":"2026-01-05T10:00:00Z",
        "interval_seconds":900})",
    R"({"meter_id":"AUS-17","kwh_amount":"0.000000001","timestamp":"2026-01-05T10:00:00Z",
        "interval_seconds":900,"quality":"estimated","channel":"consumption",
        "request_id":"reading-7","meter_signature":"c2lnbmF0dXJl","meter_counter":7,
        "telemetry":{"voltage_volts":229.8,"current_amperes":4.1,"power_watts":942.2,
                     "frequency_hertz":49.98}})",
});

constexpr auto kPing = std::to_array<Member>({
    {"timestamp", kNumber, kSometimesOrNull, "Comes back in the `Pong`, as it is"},
});
constexpr auto kPingExamples = std::to_array<std::string_view>({
    R"({"timestamp":1767608100123})",
    R"({})",
});

constexpr auto kCommandShapes = std::to_array<CommandShape>({
    {{"Authenticate", "Says who comes, or renews the credential of the same user.", kAuthenticate},
     "Authenticated",
     kAuthenticateChoices,
     kAuthenticateExamples},
    {{"Subscribe", "Subscribes channels, or an event filter. All or nothing.", kSubscribe},
     "Subscribed",
     kSubscribeChoices,
     kSubscribeExamples},
    {{"Unsubscribe", "Ends subscriptions.", kUnsubscribe},
     "Unsubscribed",
     {},
     kUnsubscribeExamples},
    {{"SubmitReading", "Submits a reading by the client's own credential; once however often sent.",
      kSubmitReading},
     "ReadingSubmitted",
     {},
     kSubmitReadingExamples},
    {{"Ping", "Asks for a `Pong`.", kPing}, "Pong", {}, kPingExamples},
});

}  // namespace command_shape

std::span<const CommandShape> CommandShapes() { return command_shape::kCommandShapes; }

}  // namespace wattmint::bridge
