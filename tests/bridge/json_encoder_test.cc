// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_encoder.h"

#include "bridge/event_frames.h"
#include "bridge/event_record.h"
#include "core/base/time_format.h"
#include "core/wire/event_codec.h"
#include "tests/support/status_matchers.h"
#include "wattmint/v1/event.pb.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using test::IsOk;
using test::StatusIs;

const domain::Time kTime = *base::ParseRfc3339("2026-01-05T10:15:00.123456Z");
const domain::Time kStart = *base::ParseRfc3339("2026-01-05T10:00:00Z");
const domain::ReadingId kReading(kTime, 7, 42);

json Encode(const domain::Fact& fact) {
  const json event = json::parse(EncodeEvent({1042, kTime, fact}, Encoding::kJson, ""));
  EXPECT_EQ(event["seq"], 1042);
  EXPECT_EQ(event["timestamp"], "2026-01-05T10:15:00.123456Z");
  EXPECT_EQ(event["type"], std::string(domain::Name(domain::TypeOf(fact))));
  return event["data"];
}

domain::TokensMinted Minted() {
  return {.user_id = "u",
          .wallet_address = "w",
          .meter_id = "m",
          .energy = domain::Energy::FromNanoKwh(2'010'000'000),
          .tokens = domain::TokenAmount::FromBaseUnits(2'010'000'000),
          .transaction_signature = "sig",
          .reading_id = kReading,
          .task_id = 9'007'199'254'740'993,
          .batch_id = "b",
          .interval_start = kStart};
}

domain::MeterReadingReceived Received() {
  return {.user_id = "u",
          .wallet_address = "w",
          .meter_id = "m",
          .energy = domain::Energy::FromNanoKwh(1'500'000'000),
          .reading_id = kReading,
          .interval_start = kStart};
}

TEST(JsonEncoderTest, WritesTheWholeFrameInAFixedOrder) {
  EXPECT_EQ(EncodeEvent({7, kTime, Minted()}, Encoding::kJson, ""),
            R"({"type":"TokensMinted","seq":7,"timestamp":"2026-01-05T10:15:00.123456Z","data":{)"
            R"("user_id":"u","wallet_address":"w","meter_id":"m","kwh_amount":2.01,)"
            R"("tokens_minted":2010000000,"transaction_signature":"sig",)"
            R"("timestamp":"2026-01-05T10:15:00.123456Z","reading_id":")" +
                kReading.ToString() +
                R"(","task_id":"9007199254740993","batch_id":"b",)"
                R"("interval_start":"2026-01-05T10:00:00Z"}})");
}

TEST(JsonEncoderTest, WritesReadings) {
  const json data =
      Encode(domain::MeterReadingReceived{.user_id = "u",
                                          .wallet_address = "w",
                                          .meter_id = "m",
                                          .energy = domain::Energy::FromNanoKwh(1),
                                          .reading_id = kReading,
                                          .interval_start = kStart,
                                          .interval = std::chrono::minutes(15),
                                          .quality = domain::Quality::kSubstituted,
                                          .channel = domain::Channel::kConsumption,
                                          .mint_state = domain::MintState::kNotApplicable});
  EXPECT_EQ(data["timestamp"], "2026-01-05T10:00:00Z") << "the reading's time";
  EXPECT_EQ(data["interval_seconds"], 900);
  EXPECT_EQ(data["quality"], "substituted");
  EXPECT_EQ(data["channel"], "consumption");
  EXPECT_EQ(data["mint_state"], "NOT_APPLICABLE");
  EXPECT_EQ(data["reading_id"], kReading.ToString());
}

TEST(JsonEncoderTest, NamesEveryQuality) {
  using domain::Quality;
  const std::vector<std::pair<Quality, std::string>> rows = {{Quality::kActual, "actual"},
                                                             {Quality::kEstimated, "estimated"},
                                                             {Quality::kFinal, "final"},
                                                             {static_cast<Quality>(99), "unknown"}};
  for (const auto& [quality, name] : rows) {
    domain::MeterReadingReceived fact;
    fact.quality = quality;
    EXPECT_EQ(Encode(fact)["quality"], name);
  }
}

TEST(JsonEncoderTest, WritesRefusals) {
  domain::MeterReadingValidationFailed fact{
      .user_id = "u",
      .wallet_address = "",
      .meter_id = "m",
      .energy = domain::Energy::FromNanoKwh(100'000'000'001),
      .refusal = {domain::Rejection::kEnergyTooHigh, "100.000000001 kWh are \"too\" much"},
      .interval_start = kStart};
  json data = Encode(fact);
  EXPECT_EQ(data["error_reason"], "ENERGY_TOO_HIGH");
  EXPECT_EQ(data["message"], "100.000000001 kWh are \"too\" much");
  EXPECT_EQ(data["timestamp"], "2026-01-05T10:00:00Z");
  EXPECT_FALSE(data.contains("wallet_address")) << "not known";
  fact.interval_start.reset();
  EXPECT_EQ(Encode(fact)["timestamp"], "2026-01-05T10:15:00.123456Z");
}

TEST(JsonEncoderTest, WritesBatchesAndTasks) {
  const json batch = Encode(domain::BatchMintingCompleted{"b", 15, 5, 4, 3, 3});
  EXPECT_EQ(batch, json::parse(R"({"batch_id":"b","total_readings":15,"successful_mints":5,)"
                               R"("failed_mints":4,"deferred_mints":3,"duplicate_mints":3,)"
                               R"("timestamp":"2026-01-05T10:15:00.123456Z"})"));
  const json created = Encode(domain::TaskCreated{7, "u", "m", kReading, {}});
  EXPECT_EQ(created["task_id"], "7");
  EXPECT_EQ(created["changes"]["kwh_amount"], 0);
  EXPECT_FALSE(created.contains("job_id"));
  const json updated = Encode(
      domain::TaskUpdated{7, "u", "m", "b", "w", domain::TokenAmount::FromBaseUnits(5), "sig", 12});
  EXPECT_EQ(updated["job_id"], "b");
  EXPECT_EQ(updated["changes"]["tokens_minted"], 5);
  EXPECT_EQ(updated["changes"]["ledger_height"], "12");
  const json changed = Encode(domain::TaskStatusChanged{
      7, "u", "m", "b", domain::MintState::kPending, domain::MintState::kConfirmed, ""});
  EXPECT_EQ(changed["changes"],
            json::parse(R"({"old_status":"PENDING","new_status":"CONFIRMED"})"));
  const json fee = Encode(domain::TaskFeeUpdated{7, "u", "m", "b", 1, 2});
  EXPECT_EQ(fee["changes"], json::parse(R"({"old_fee":"1","new_fee":"2"})"));
}

TEST(JsonEncoderTest, WritesWhatConcernsMetersKeysAndMinting) {
  const json meter = Encode(domain::MeterChanged{"u", "m", "w", "k"});
  EXPECT_EQ(meter["wallet_address"], "w");
  EXPECT_EQ(meter["public_key"], "k");
  EXPECT_EQ(Encode(domain::ApiKeyChanged{"u", "k", true})["revoked"], true);
  EXPECT_EQ(Encode(domain::MintingSwitched{true, "because"})["reason"], "because");
}

TEST(JsonEncoderTest, WritesAlertsAndNotifications) {
  EXPECT_EQ(Encode(domain::SystemAlert{"maintenance", domain::Severity::kWarning, "at \"18:00\""}),
            json::parse(R"({"kind":"maintenance","severity":"warning","message":"at \"18:00\"",)"
                        R"("timestamp":"2026-01-05T10:15:00.123456Z"})"));
  EXPECT_EQ(Encode(domain::Notification{"u", domain::Severity::kCritical, "hello"}),
            json::parse(R"({"user_id":"u","level":"critical","message":"hello",)"
                        R"("timestamp":"2026-01-05T10:15:00.123456Z"})"));
}

TEST(JsonEncoderTest, WritesCorrections) {
  const domain::ReadingCorrected corrected{"u",
                                           "w",
                                           "m",
                                           domain::Energy::FromNanoKwh(1'250'000'000),
                                           kReading,
                                           7,
                                           kStart,
                                           domain::Energy::FromNanoKwh(1),
                                           domain::Quality::kFinal,
                                           domain::Quality::kEstimated,
                                           "final value",
                                           3,
                                           domain::MintState::kPending};
  json expected = json::parse(
      R"({"user_id":"u","wallet_address":"w","meter_id":"m","kwh_amount":1.25,)"
      R"("old_kwh_amount":0.000000001,"timestamp":"2026-01-05T10:00:00Z","task_id":"7",)"
      R"("quality":"final","old_quality":"estimated","mint_state":"PENDING",)"
      R"("reason":"final value","correction_id":"3"})");
  expected["reading_id"] = kReading.ToString();
  EXPECT_EQ(Encode(corrected), expected);
  const json withdrawn =
      Encode(domain::ReadingWithdrawn{"u", "w", "m", {}, kReading, 0, kStart, "broken", 4});
  EXPECT_FALSE(withdrawn.contains("task_id")) << "it had none";
  EXPECT_EQ(withdrawn["reason"], "broken");
  EXPECT_EQ(withdrawn["correction_id"], "4");
  EXPECT_EQ(withdrawn["reading_id"], kReading.ToString());
}

TEST(JsonEncoderTest, KeepsEveryAmountExact) {
  for (const std::int64_t nano : {0L, 1L, 10L, 999'999'999L, 1'000'000'000L, 2'010'000'000L,
                                  99'999'999'999L, 100'000'000'000L, 9'007'199'254'740'991L}) {
    domain::TokensMinted fact = Minted();
    fact.energy = domain::Energy::FromNanoKwh(nano);
    fact.tokens = domain::TokenAmount::FromBaseUnits(nano);
    const json data = Encode(fact);
    EXPECT_EQ(data["tokens_minted"].get<std::int64_t>(), nano);
    EXPECT_EQ(std::llround(data["kwh_amount"].get<double>() * 1e9), nano) << "as browsers read it";
  }
}

TEST(JsonEncoderTest, WritesTheFlatEncoding) {
  const json event = json::parse(EncodeEvent({7, kTime, Received()}, Encoding::kFlat, "e"));
  EXPECT_EQ(event["type"], "MeterReadingReceived");
  EXPECT_EQ(event["seq"], 7);
  EXPECT_EQ(event["time"], "2026-01-05T10:15:00.123456Z");
  EXPECT_EQ(event["timestamp"], "2026-01-05T10:00:00Z") << "of the reading";
  EXPECT_EQ(event["meter_id"], "m");
  EXPECT_FALSE(event.contains("data"));
}

TEST(JsonEncoderTest, SaysTheSameInEveryEncoding) {
  for (const domain::Fact& fact : {domain::Fact(Received()), domain::Fact(Minted())}) {
    const json plain = json::parse(EncodeEvent({7, kTime, fact}, Encoding::kJson, "e"));
    EXPECT_EQ(json::parse(EncodeEvent({7, kTime, fact}, Encoding::kCloudEvents, "e"))["data"],
              plain["data"]);
    json flat = json::parse(EncodeEvent({7, kTime, fact}, Encoding::kFlat, "e"));
    for (const char* name : {"type", "seq", "time"}) flat.erase(name);
    EXPECT_EQ(flat, plain["data"]);
  }
}

// Source: CloudEvents 1.0, required attributes and the extension "sequence".
TEST(JsonEncoderTest, WritesCloudEvents) {
  const json event = json::parse(EncodeEvent({7, kTime, Minted()}, Encoding::kCloudEvents, "e-1"));
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], "7");
  EXPECT_EQ(event["source"], "urn:wattmint:log:e-1");
  EXPECT_EQ(event["type"], "wattmint.v1.TokensMinted");
  EXPECT_EQ(event["time"], "2026-01-05T10:15:00.123456Z");
  EXPECT_EQ(event["subject"], "m");
  EXPECT_EQ(event["sequence"], "0000000000000000007");
  EXPECT_EQ(event["datacontenttype"], "application/json");
  const json batch = json::parse(
      EncodeEvent({8, kTime, domain::BatchMintingCompleted{}}, Encoding::kCloudEvents, "e-1"));
  EXPECT_FALSE(batch.contains("subject"));
}

store::EventRecord Record(std::int64_t sequence, const domain::Fact& fact) {
  return {sequence, std::make_shared<const store::EventRecord::Body>(
                        wire::EncodePayload(kTime, fact), domain::AttributesOf(fact))};
}

TEST(EventFramesTest, EncodesEachEventOnce) {
  EventFrames frames(4);
  const absl::StatusOr<SharedFrame> first = frames.Get(Record(5, Minted()), Encoding::kJson);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(**first, *FrameText(EncodeEvent({5, kTime, Minted()}, Encoding::kJson, "")));
  EXPECT_EQ(*frames.Get(Record(5, Minted()), Encoding::kJson), *first);
  EXPECT_EQ(frames.encoded_count(), 1);
}

TEST(EventFramesTest, KeepsWhatIsNewerThanHistory) {
  EventFrames frames(4);
  const SharedFrame live = *frames.Get(Record(9, Minted()), Encoding::kJson);
  EXPECT_NE(*frames.Get(Record(5, Minted()), Encoding::kJson), live) << "of the same slot";
  EXPECT_EQ(*frames.Get(Record(9, Minted()), Encoding::kJson), live);
  frames.Reset("another");
  EXPECT_NE(*frames.Get(Record(9, Minted()), Encoding::kJson), live);
}

TEST(EventFramesTest, KeepsEncodingsApart) {
  EventFrames frames;
  frames.Reset("e-1");
  const store::EventRecord record = Record(5, Minted());
  const domain::Event event{5, kTime, Minted()};
  for (const Encoding encoding : {Encoding::kJson, Encoding::kFlat, Encoding::kCloudEvents}) {
    EXPECT_EQ(**frames.Get(record, encoding), *FrameText(EncodeEvent(event, encoding, "e-1")));
  }
  const SharedFrame binary = *frames.Get(record, Encoding::kProto);
  EXPECT_EQ(binary->front(), '\x82');
  v1::Event decoded;
  ASSERT_TRUE(decoded.ParseFromString(binary->substr(binary->at(1) < 126 ? 2 : 4)));
  EXPECT_EQ(decoded.sequence(), 5);
  EXPECT_EQ(decoded.tokens_minted().meter_id(), "m");
  EXPECT_EQ(frames.encoded_count(), 4);
}

TEST(EventFramesTest, TellsEventsOfTheSameSequenceApart) {
  EventFrames frames(4);
  const SharedFrame old = *frames.Get(Record(5, Minted()), Encoding::kJson);
  EXPECT_NE(*frames.Get(Record(5, Received()), Encoding::kJson), old) << "of another log";
}

TEST(EventFramesTest, AnEventOfALaterVersionKeepsItsPlace) {
  EventFrames frames;
  frames.Reset("e-1");
  v1::Event later;
  later.mutable_time()->set_seconds(1'767'608'100);
  later.GetReflection()->MutableUnknownFields(&later)->AddLengthDelimited(77, "a fact");
  const store::EventRecord record = MakeRecord(5, later.SerializeAsString());
  EXPECT_TRUE(IsUnknown(record));
  EXPECT_FALSE(IsUnknown(MakeRecord(6, wire::EncodePayload(kTime, Minted()))));
  const auto frame = [&](Encoding encoding) {
    const SharedFrame bytes = *frames.Get(record, encoding);
    return bytes->substr(bytes->at(1) < 126 ? 2 : 4);
  };
  EXPECT_EQ(json::parse(frame(Encoding::kJson)),
            json::parse(R"({"type":"Unknown","seq":5,"timestamp":"2026-01-05T10:15:00Z",)"
                        R"("data":{"event_type":77}})"));
  EXPECT_EQ(json::parse(frame(Encoding::kFlat))["event_type"], 77);
  const json cloud = json::parse(frame(Encoding::kCloudEvents));
  EXPECT_EQ(cloud["type"], "wattmint.v1.Unknown");
  EXPECT_EQ(cloud["sequence"], "0000000000000000005");
  v1::Event passed;
  ASSERT_TRUE(passed.ParseFromString(frame(Encoding::kProto)));
  EXPECT_EQ(passed.sequence(), 5);
  EXPECT_EQ(passed.GetReflection()->GetUnknownFields(passed).field(0).length_delimited(), "a fact");
}

TEST(EventFramesTest, SaysThatBytesAreNoEvent) {
  EventFrames frames;
  EXPECT_THAT(frames.Get({1, std::make_shared<const store::EventRecord::Body>(
                                 "\xff", domain::EventAttributes{})},
                         Encoding::kJson),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace wattmint::bridge
