// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "core/wire/convert.h"
#include "tests/support/signing_meter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using v1::ReadingService;

class SubmitTest : public testing::Test {
 protected:
  void SetUp() override { core_.RegisterMeter("m-1", "ada", WalletAddress(1)); }

  static v1::ReadingInput PointAt(base::Time time, std::string_view energy_kwh = "1") {
    v1::ReadingInput reading;
    reading.set_meter_id("m-1");
    reading.set_energy_kwh(std::string(energy_kwh));
    wire::ToProto(std::chrono::floor<std::chrono::microseconds>(time),
                  *reading.mutable_read_time());
    return reading;
  }
  static base::Time Now() { return base::SystemClock().Now(); }

  absl::StatusOr<v1::SubmitReadingResponse> Submit(const client::Credential& credential,
                                                   const v1::ReadingInput& reading,
                                                   v1::AgePolicy policy = {}) {
    v1::SubmitReadingRequest request;
    *request.mutable_reading() = reading;
    request.set_age_policy(policy);
    return Call(core_.readings(), &ReadingService::Stub::SubmitReading, credential, request);
  }

  void ExpectRejection(v1::Rejection rejection, const v1::ReadingInput& reading,
                       const client::Credential& credential) {
    const auto answer = Submit(credential, reading);
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->result().outcome(), v1::SUBMIT_OUTCOME_REJECTED);
    EXPECT_EQ(answer->result().rejection(), rejection) << answer->result().ShortDebugString();
    EXPECT_FALSE(answer->result().message().empty());
  }
  void ExpectRejection(v1::Rejection rejection, const v1::ReadingInput& reading) {
    ExpectRejection(rejection, reading, core_.admin());
  }
  std::int64_t StoredReadings() {
    return Call(core_.readings(), &ReadingService::Stub::GetReadingStats, core_.admin(), {})
        ->total()
        .readings();
  }

  TestCore core_;
};

TEST_F(SubmitTest, EveryRejectionIsAnsweredByNameAndStoresNothing) {
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  const auto bob = core_.CreateKey("bob", {v1::ROLE_USER}).credential;
  v1::ReadingInput good = QuarterHour("m-1", 0, "12.5");
  good.set_request_id("first");
  ASSERT_EQ(core_.Submit(good).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  ASSERT_EQ(core_.Submit(PointAt(Now() - std::chrono::hours(5))).outcome(),
            v1::SUBMIT_OUTCOME_ACCEPTED);

  v1::ReadingInput reading = QuarterHour("meter 7", 1, "1");
  ExpectRejection(v1::REJECTION_METER_ID_INVALID, reading);
  ExpectRejection(v1::REJECTION_ENERGY_INVALID, QuarterHour("m-1", 1, "NaN"));
  reading = QuarterHour("m-1", 1, "1");
  reading.clear_interval();
  ExpectRejection(v1::REJECTION_TIME_INVALID, reading);
  reading = QuarterHour("m-1", 1, "1");
  reading.set_request_id("a\nb");
  ExpectRejection(v1::REJECTION_REQUEST_ID_INVALID, reading);
  ExpectRejection(v1::REJECTION_METER_NOT_PERMITTED, QuarterHour("m-1", 1, "1"), bob);
  ExpectRejection(v1::REJECTION_METER_NOT_PERMITTED, QuarterHour("m-none", 1, "1"), bob);
  ExpectRejection(v1::REJECTION_METER_UNKNOWN, QuarterHour("m-none", 1, "1"));
  ExpectRejection(v1::REJECTION_EXISTS_WITH_DIFFERENT_ENERGY, QuarterHour("m-1", 0, "12.4"));
  reading = QuarterHour("m-1", 1, "1");
  reading.set_request_id("first");
  ExpectRejection(v1::REJECTION_REQUEST_ID_REUSED, reading);
  ExpectRejection(v1::REJECTION_ENERGY_NEGATIVE, QuarterHour("m-1", 1, "-0.5"));
  ExpectRejection(v1::REJECTION_ENERGY_TOO_HIGH, QuarterHour("m-1", 1, "100.000000001"));
  reading = QuarterHour("m-1", 1, "1");
  reading.mutable_interval()->set_seconds(32 * 24 * 3600);
  ExpectRejection(v1::REJECTION_INTERVAL_TOO_LONG, reading);
  ExpectRejection(v1::REJECTION_TIME_IN_FUTURE, PointAt(Now() + std::chrono::minutes(3)));
  ExpectRejection(v1::REJECTION_TIME_TOO_OLD, PointAt(Now() - std::chrono::days(8)));
  reading = QuarterHour("m-1", 0, "1");
  reading.mutable_interval()->set_seconds(60);
  ExpectRejection(v1::REJECTION_OVERLAPS_READING, reading);
  ExpectRejection(v1::REJECTION_WITHIN_DUPLICATE_WINDOW,
                  PointAt(Now() - std::chrono::hours(5) + std::chrono::minutes(14)));
  ExpectRejection(v1::REJECTION_SUBMITTED_TOO_SOON, QuarterHour("m-1", 3, "1"), ada);
  EXPECT_EQ(StoredReadings(), 2);
}

// What the server makes of `input`, signed.
domain::Reading SignedReading(const v1::ReadingInput& input, const SigningMeter& device,
                              std::int64_t counter) {
  domain::Reading reading;
  reading.meter_id = input.meter_id();
  reading.energy = domain::Energy::Parse(input.energy_kwh()).value();
  reading.start = wire::FromProto(input.interval_start());
  reading.length = std::chrono::seconds(input.interval().seconds());
  return device.Signed(reading, counter);
}

TEST_F(SubmitTest, OfAMeterWithAKeyOnlyWhatItSignedIsTakenAndOnce) {
  const SigningMeter device(1);
  v1::SetMeterKeyRequest key;
  key.set_meter_id("m-1");
  key.set_public_key(device.public_key());
  ASSERT_THAT(Call(core_.meters(), &v1::MeterService::Stub::SetMeterKey, core_.admin(), key),
              IsOk());
  v1::ReadingInput reading = QuarterHour("m-1", 0, "12.5");
  ExpectRejection(v1::REJECTION_METER_SIGNATURE_MISSING, reading);
  reading.set_meter_counter(1);
  reading.set_meter_signature(SignedReading(reading, device, 1).meter_signature);
  reading.set_energy_kwh("12.6");
  ExpectRejection(v1::REJECTION_METER_SIGNATURE_INVALID, reading);
  reading.set_energy_kwh("12.500");
  const v1::SubmitResult accepted = core_.Submit(reading);
  ASSERT_EQ(accepted.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED) << accepted.ShortDebugString();
  EXPECT_EQ(core_.Submit(reading).outcome(), v1::SUBMIT_OUTCOME_EXISTS);
  v1::ReadingInput next = QuarterHour("m-1", 1, "1");
  next.set_meter_counter(1);
  next.set_meter_signature(SignedReading(next, device, 1).meter_signature);
  ExpectRejection(v1::REJECTION_METER_COUNTER_REPLAYED, next);
  EXPECT_EQ(StoredReadings(), 1);

  v1::GetReadingRequest get;
  get.set_reading_id(accepted.reading_id());
  const auto got = Call(core_.readings(), &ReadingService::Stub::GetReading, core_.admin(), get);
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(got->reading().meter_public_key(), device.public_key());
  EXPECT_EQ(got->reading().meter_counter(), 1);
  EXPECT_EQ(got->reading().meter_signature(), reading.meter_signature());
}

TEST_F(SubmitTest, TheSameReadingAgainIsAnsweredAsTheFirstTime) {
  const v1::SubmitResult first = core_.Submit(QuarterHour("m-1", 0, "12.5"));
  const v1::SubmitResult again = core_.Submit(QuarterHour("m-1", 0, "12.50"));
  EXPECT_EQ(first.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(again.outcome(), v1::SUBMIT_OUTCOME_EXISTS);
  EXPECT_EQ(again.reading_id(), first.reading_id());
  EXPECT_EQ(StoredReadings(), 1);
}

TEST_F(SubmitTest, OtherContentNamesTheFirstReading) {
  const v1::SubmitResult first = core_.Submit(QuarterHour("m-1", 0, "12.5"));
  const v1::SubmitResult other = core_.Submit(QuarterHour("m-1", 0, "12.4"));
  EXPECT_EQ(other.rejection(), v1::REJECTION_EXISTS_WITH_DIFFERENT_ENERGY);
  EXPECT_EQ(other.reading_id(), first.reading_id());
}

TEST_F(SubmitTest, ABatchIsAnsweredOneByOneInItsOrder) {
  const auto results = core_.SubmitAll({QuarterHour("m-1", 0, "1"), QuarterHour("m-none", 0, "1"),
                                        QuarterHour("m-1", 0, "1"), QuarterHour("m-1", 1, "0")});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(results[1].rejection(), v1::REJECTION_METER_UNKNOWN);
  EXPECT_EQ(results[2].outcome(), v1::SUBMIT_OUTCOME_EXISTS);
  EXPECT_EQ(results[2].reading_id(), results[0].reading_id());
  EXPECT_EQ(results[3].mint_state(), v1::MINT_STATE_NOT_APPLICABLE);
}

TEST_F(SubmitTest, TooManyOrNoReadingsAreRefused) {
  v1::SubmitReadingsRequest request;
  EXPECT_THAT(Call(core_.readings(), &ReadingService::Stub::SubmitReadings, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  for (int i = 0; i < 10'001; ++i) request.add_readings();
  EXPECT_THAT(Call(core_.readings(), &ReadingService::Stub::SubmitReadings, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SubmitTest, OnlyImportersLiftTheAgeLimit) {
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  const auto fleet = core_.CreateKey("fleet", {v1::ROLE_INGEST}).credential;
  const auto old = PointAt(Now() - std::chrono::days(400));
  EXPECT_THAT(Submit(ada, old, v1::AGE_POLICY_ANY_AGE),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Submit(fleet, old, static_cast<v1::AgePolicy>(9)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const auto answer = Submit(fleet, old, v1::AGE_POLICY_ANY_AGE);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->result().outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(SubmitTest, AnOwnerHearsOfRefusalsAndStrangersDoNot) {
  const auto bob = core_.CreateKey("bob", {v1::ROLE_USER}).credential;
  const std::int64_t head = core_.app().head_sequence();
  ASSERT_THAT(Submit(bob, QuarterHour("m-1", 0, "1")), IsOk());
  core_.Submit(QuarterHour("m-1", 0, "101"));
  const auto events = core_.ReadEvents(core_.admin(), head + 1);
  ASSERT_EQ(events.size(), 1u);
  const auto& refused = events[0].meter_reading_validation_failed();
  EXPECT_EQ(refused.user_id(), "ada");
  EXPECT_EQ(refused.rejection(), v1::REJECTION_ENERGY_TOO_HIGH);
}

// One call of StreamReadings.
class ReadingStreamTest : public SubmitTest {
 protected:
  void Open(const client::Credential& credential) {
    client::Attach(credential, context_);
    client::SetTimeout(std::chrono::seconds(30), context_);
    stream_ = core_.readings().StreamReadings(&context_);
  }
  bool Write(std::int64_t number, const std::vector<v1::ReadingInput>& readings) {
    v1::StreamReadingsRequest request;
    request.set_batch_number(number);
    for (const auto& reading : readings) *request.add_readings() = reading;
    return stream_->Write(request);
  }
  v1::StreamReadingsResponse Read() {
    v1::StreamReadingsResponse answer;
    EXPECT_TRUE(stream_->Read(&answer));
    return answer;
  }
  absl::Status Finish() {
    stream_->WritesDone();
    v1::StreamReadingsResponse unread;
    while (stream_->Read(&unread)) {
    }
    return client::FromGrpc(stream_->Finish());
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamReadingsRequest, v1::StreamReadingsResponse>>
      stream_;
};

TEST_F(ReadingStreamTest, BatchesAreAcknowledgedInOrderWithTheirRefusals) {
  Open(core_.admin());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Write(100 + i, {QuarterHour("m-1", i, "1"), QuarterHour("m-none", i, "1")}));
  }
  for (int i = 0; i < 20; ++i) {
    const auto answer = Read();
    EXPECT_EQ(answer.batch_number(), 100 + i);
    EXPECT_EQ(answer.counts().accepted(), 1);
    EXPECT_EQ(answer.counts().rejected(), 1);
    ASSERT_EQ(answer.rejected_size(), 1);
    EXPECT_EQ(answer.rejected(0).index(), 1);
    EXPECT_EQ(answer.rejected(0).result().rejection(), v1::REJECTION_METER_UNKNOWN);
  }
  EXPECT_THAT(Finish(), IsOk());
  EXPECT_EQ(StoredReadings(), 20);
}

TEST_F(ReadingStreamTest, ABatchThatIsNoneEndsTheStreamBehindTheAnswersBeforeIt) {
  Open(core_.admin());
  ASSERT_TRUE(Write(1, {QuarterHour("m-1", 0, "1")}));
  ASSERT_TRUE(Write(2, {}));
  EXPECT_EQ(Read().batch_number(), 1);
  EXPECT_THAT(Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ReadingStreamTest, WithoutACredentialItEndsAtOnce) {
  Open({});
  const absl::Status status = Finish();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(access::ReasonOf(status), access::reason::kMissingCredentials);
}

TEST_F(ReadingStreamTest, ARevokedKeyEndsIt) {
  const auto key = core_.CreateKey("fleet", {v1::ROLE_INGEST});
  Open(key.credential);
  ASSERT_TRUE(Write(1, {QuarterHour("m-1", 0, "1")}));
  EXPECT_EQ(Read().counts().accepted(), 1);
  v1::RevokeApiKeyRequest request;
  request.set_key_id(key.key_id);
  ASSERT_THAT(Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), request),
              IsOk());
  v1::StreamReadingsResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  const absl::Status status = client::FromGrpc(stream_->Finish());
  EXPECT_EQ(access::ReasonOf(status), access::reason::kRevokedApiKey);
}

TEST_F(ReadingStreamTest, AnExpiredKeyEndsIt) {
  Open(core_.CreateKey("fleet", {v1::ROLE_INGEST}, std::chrono::milliseconds(300)).credential);
  v1::StreamReadingsResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  const absl::Status status = client::FromGrpc(stream_->Finish());
  EXPECT_EQ(access::ReasonOf(status), access::reason::kExpiredApiKey);
}

TEST_F(ReadingStreamTest, AClientThatLeavesHurtsNobody) {
  Open(core_.admin());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Write(i, {QuarterHour("m-1", i, "1")}));
  EXPECT_EQ(Read().batch_number(), 0);
  context_.TryCancel();
  EXPECT_THAT(client::FromGrpc(stream_->Finish()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(core_.Submit(QuarterHour("m-1", 50, "1")).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(ReadingStreamTest, DrainingEndsItBehindTheAnswers) {
  Open(core_.admin());
  ASSERT_TRUE(Write(1, {QuarterHour("m-1", 0, "1")}));
  EXPECT_EQ(Read().batch_number(), 1);
  core_.Stop();
  const absl::Status status = client::FromGrpc(stream_->Finish());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(status), "DRAINING");
}

}  // namespace
}  // namespace wattmint::test
