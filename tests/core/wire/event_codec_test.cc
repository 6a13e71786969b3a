// SPDX-License-Identifier: Apache-2.0
#include "core/wire/event_codec.h"

#include "core/wire/convert.h"
#include "tests/support/status_matchers.h"
#include "wattmint/v1/event.pb.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::wire {
namespace {

using domain::Duration;
using domain::Energy;
using domain::Fact;
using domain::MintState;
using domain::ReadingId;
using domain::Time;
using domain::TokenAmount;
using test::IsOk;
using test::StatusIs;

const Time kTime = Time(std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}) + Duration(42);
const ReadingId kReading(kTime, 5, 1'234);
const Energy kEnergy = Energy::FromNanoKwh(4'780'000'001);

// One of each, with every member set.
std::vector<Fact> EveryFact() {
  return {
      domain::MeterReadingReceived{"u", "w", "M1", kEnergy, kReading, kTime, std::chrono::hours(1),
                                   domain::Quality::kFinal, domain::Channel::kConsumption,
                                   MintState::kNotApplicable},
      domain::MeterReadingValidationFailed{
          "u", "w", "M1", kEnergy, {domain::Rejection::kTimeTooOld, "too old"}, kTime},
      domain::TokensMinted{"u", "w", "M1", kEnergy, TokenAmount::FromBaseUnits(7), "sig", kReading,
                           1'234, "b", kTime},
      domain::BatchMintingCompleted{"b", 10, 4, 3, 2, 1},
      domain::TaskCreated{1'234, "u", "M1", kReading, kEnergy},
      domain::TaskUpdated{1'234, "u", "M1", "b", "w", TokenAmount::FromBaseUnits(7), "sig", 99},
      domain::TaskStatusChanged{1'234, "u", "M1", "b", MintState::kSigned, MintState::kParked,
                                "why"},
      domain::TaskFeeUpdated{1'234, "u", "M1", "b", 1, 5'000},
      domain::MeterChanged{"u", "M1", "w", "k"},
      domain::ApiKeyChanged{"u", "1a2b3c4d", true},
      domain::MintingSwitched{true, "why"},
      domain::ReadingCorrected{"u", "w", "M1", kEnergy, kReading, 1'234, kTime,
                               Energy::FromNanoKwh(5), domain::Quality::kFinal,
                               domain::Quality::kEstimated, "why", 9, MintState::kPending},
      domain::ReadingWithdrawn{"u", "w", "M1", kEnergy, kReading, 1'234, kTime, "why", 9},
      domain::SystemAlert{"maintenance", domain::Severity::kWarning, "at 18:00"},
      domain::Notification{"u", domain::Severity::kCritical, "hello"},
  };
}

v1::Event Parsed(std::string_view bytes) {
  v1::Event event;
  EXPECT_TRUE(event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return event;
}

TEST(EventCodecTest, EveryFactComesBackAsItWent) {
  const auto facts = EveryFact();
  ASSERT_EQ(facts.size(), std::variant_size_v<Fact>);
  for (const Fact& fact : facts) {
    const std::string payload = EncodePayload(kTime, fact);
    const auto event = DecodePayload(77, payload);
    ASSERT_THAT(event, IsOk()) << Name(TypeOf(fact));
    EXPECT_EQ(event->sequence, 77);
    EXPECT_EQ(event->time, kTime);
    EXPECT_EQ(TypeOf(event->fact), TypeOf(fact));
    // Encoding what came back tells of any member that was lost.
    EXPECT_EQ(EncodePayload(kTime, event->fact), payload) << Name(TypeOf(fact));
  }
}

TEST(EventCodecTest, EveryMemberOfEveryMessageIsSet) {
  for (const Fact& fact : EveryFact()) {
    const v1::Event event = Parsed(EncodePayload(kTime, fact));
    std::vector<const google::protobuf::FieldDescriptor*> set;
    event.GetReflection()->ListFields(event, &set);
    ASSERT_EQ(set.size(), 2U) << "time and fact, no sequence";
    EXPECT_EQ(set[1]->number(), static_cast<int>(TypeOf(fact)));
    const auto& message = event.GetReflection()->GetMessage(event, set[1]);
    std::vector<const google::protobuf::FieldDescriptor*> members;
    message.GetReflection()->ListFields(message, &members);
    EXPECT_EQ(static_cast<int>(members.size()), message.GetDescriptor()->field_count())
        << message.GetTypeName();
  }
}

TEST(EventCodecTest, AttributesOfThePayloadAreThoseOfTheFact) {
  for (const Fact& fact : EveryFact()) {
    const auto decoded = DecodeAttributes(EncodePayload(kTime, fact));
    ASSERT_THAT(decoded, IsOk());
    const auto expected = domain::AttributesOf(fact);
    EXPECT_EQ(decoded->type, expected.type);
    EXPECT_EQ(decoded->user_id, expected.user_id);
    EXPECT_EQ(decoded->meter_id, expected.meter_id);
    EXPECT_EQ(decoded->energy, expected.energy);
    EXPECT_EQ(decoded->audience, expected.audience);
  }
}

TEST(EventCodecTest, TellsWhatItCanOfAFactOfALaterVersion) {
  v1::Event event;
  ToProto(kTime, *event.mutable_time());
  auto* const fields = event.GetReflection()->MutableUnknownFields(&event);
  fields->AddVarint(99, 1);
  fields->AddLengthDelimited(77, "a fact");
  const std::string payload = event.SerializeAsString();
  EXPECT_FALSE(DecodePayload(5, payload).ok());
  const auto unknown = DecodeUnknown(payload);
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(unknown->type, 77);
  EXPECT_EQ(unknown->time, kTime);
  event.GetReflection()->MutableUnknownFields(&event)->Clear();
  EXPECT_EQ(DecodeUnknown(event.SerializeAsString())->type, 0);
  EXPECT_FALSE(DecodeUnknown("\xff").ok());
}

TEST(EventCodecTest, ARunOfFieldsIsABatch) {
  std::string bytes;
  std::int64_t sequence = 0;
  for (const Fact& fact : EveryFact()) {
    sequence = sequence == 0 ? 1 : sequence * 1'000;
    const std::string payload = EncodePayload(kTime, fact);
    const std::size_t before = bytes.size();
    AppendEventField(sequence, payload, bytes);
    EXPECT_EQ(bytes.size() - before, EventFieldSize(sequence, payload.size()));
    if (sequence > 1'000'000'000'000) sequence = 1;
  }
  v1::EventBatch batch;
  ASSERT_TRUE(batch.ParseFromString(bytes));
  ASSERT_EQ(batch.events_size(), static_cast<int>(EveryFact().size()));
  EXPECT_EQ(batch.events(0).sequence(), 1);
  EXPECT_EQ(batch.events(1).sequence(), 1'000);
  EXPECT_TRUE(batch.events(2).has_tokens_minted());
  v1::ReadEventsResponse page;
  ASSERT_TRUE(page.ParseFromString(bytes)) << "the same field number in both messages";
  EXPECT_EQ(page.events_size(), batch.events_size());
}

TEST(EventCodecTest, BytesThatAreNoEventAreDataLoss) {
  EXPECT_THAT(DecodePayload(1, "\xff\xff\xff"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodePayload(1, ""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeAttributes("\x0a"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(EventCodecTest, AnIdThatIsNoneIsDataLoss) {
  v1::Event event;
  event.mutable_tokens_minted()->set_reading_id("nonsense");
  EXPECT_THAT(DecodePayload(1, event.SerializeAsString()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(ConvertTest, TimesBefore1970KeepTheirNanosecondsPositive) {
  google::protobuf::Timestamp message;
  ToProto(Time(Duration(-1)), message);
  EXPECT_EQ(message.seconds(), -1);
  EXPECT_EQ(message.nanos(), 999'999'000);
  EXPECT_EQ(FromProto(message), Time(Duration(-1)));
}

}  // namespace
}  // namespace wattmint::wire
