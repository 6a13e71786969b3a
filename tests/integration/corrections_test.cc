// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using v1::ReadingService;

class CorrectionsTest : public testing::Test {
 protected:
  void SetUp() override { core_.RegisterMeter("m-1", "ada", WalletAddress(1)); }

  std::string SubmitEstimate(std::string_view kwh) {
    v1::ReadingInput reading = QuarterHour("m-1", 0, kwh);
    reading.set_quality(v1::READING_QUALITY_ESTIMATED);
    return core_.Submit(reading).reading_id();
  }
  absl::StatusOr<v1::CorrectReadingResponse> Correct(
      const client::Credential& credential, const std::string& reading_id, std::string_view kwh,
      v1::ReadingQuality quality = v1::READING_QUALITY_FINAL) {
    v1::CorrectReadingRequest request;
    request.set_reading_id(reading_id);
    request.set_energy_kwh(std::string(kwh));
    request.set_quality(quality);
    request.set_reason("the final value");
    return Call(core_.readings(), &ReadingService::Stub::CorrectReading, credential, request);
  }
  absl::StatusOr<v1::WithdrawReadingResponse> Withdraw(const client::Credential& credential,
                                                       const std::string& reading_id,
                                                       const std::string& reason = "broken") {
    v1::WithdrawReadingRequest request;
    request.set_reading_id(reading_id);
    request.set_reason(reason);
    return Call(core_.readings(), &ReadingService::Stub::WithdrawReading, credential, request);
  }
  absl::StatusOr<v1::GetReadingResponse> Get(const client::Credential& credential,
                                             const std::string& reading_id) {
    v1::GetReadingRequest request;
    request.set_reading_id(reading_id);
    return Call(core_.readings(), &ReadingService::Stub::GetReading, credential, request);
  }

  TestCore core_;
};

TEST_F(CorrectionsTest, AnEstimateBecomesFinalAndIsMinted) {
  const std::string id = SubmitEstimate("2");
  const auto collector = core_.CreateKey("collector", {v1::ROLE_INGEST}).credential;
  const auto corrected = Correct(collector, id, "2.5");
  ASSERT_THAT(corrected, IsOk());
  EXPECT_EQ(corrected->reading().energy_kwh(), "2.5");
  EXPECT_EQ(corrected->reading().quality(), v1::READING_QUALITY_FINAL);
  EXPECT_EQ(corrected->correction_id(), 1);
  core_.WaitUntilMinted();
  const auto reading = Get(core_.admin(), id);
  ASSERT_THAT(reading, IsOk());
  EXPECT_EQ(reading->reading().mint_state(), v1::MINT_STATE_CONFIRMED);
  ASSERT_EQ(reading->corrections_size(), 1);
  EXPECT_EQ(reading->corrections(0).kind(), v1::CORRECTION_KIND_CORRECTED);
  EXPECT_EQ(reading->corrections(0).old_energy_kwh(), "2");
  EXPECT_EQ(reading->corrections(0).old_quality(), v1::READING_QUALITY_ESTIMATED);
  EXPECT_EQ(reading->corrections(0).user_id(), "collector");

  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  EXPECT_EQ(Get(ada, id)->corrections(0).user_id(), "") << "who it was is not for everybody";
  EXPECT_EQ(Get(ada, id)->corrections(0).reason(), "the final value");
  std::vector<std::string> seen;
  for (const v1::Event& event : core_.ReadEvents(ada)) {
    if (event.has_reading_corrected()) {
      EXPECT_EQ(event.reading_corrected().old_energy_nano_kwh(), 2'000'000'000);
      EXPECT_EQ(event.reading_corrected().energy_nano_kwh(), 2'500'000'000);
      seen.emplace_back("corrected");
    }
    if (event.has_tokens_minted()) {
      EXPECT_EQ(event.tokens_minted().base_units(), 2'500'000'000);
      seen.emplace_back("minted");
    }
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"corrected", "minted"}));
  EXPECT_EQ(access::ReasonOf(Correct(collector, id, "3").status()), "ALREADY_MINTED");
  EXPECT_EQ(access::ReasonOf(Withdraw(collector, id).status()), "ALREADY_MINTED");
  EXPECT_THAT(Correct(collector, id, "2.5"), IsOk()) << "the same again";
}

TEST_F(CorrectionsTest, AWithdrawnReadingIsShownAndAnsweredAsRejected) {
  const std::string id = SubmitEstimate("2");
  const auto withdrawn = Withdraw(core_.admin(), id);
  ASSERT_THAT(withdrawn, IsOk());
  EXPECT_EQ(withdrawn->reading().mint_state(), v1::MINT_STATE_REJECTED);
  core_.Restart();
  v1::ReadingInput reading = QuarterHour("m-1", 0, "2");
  reading.set_quality(v1::READING_QUALITY_ESTIMATED);
  const v1::SubmitResult again = core_.Submit(reading);
  EXPECT_EQ(again.outcome(), v1::SUBMIT_OUTCOME_EXISTS);
  EXPECT_EQ(again.mint_state(), v1::MINT_STATE_REJECTED);
  EXPECT_EQ(Get(core_.admin(), id)->corrections(0).kind(), v1::CORRECTION_KIND_WITHDRAWN);
  EXPECT_THAT(Correct(core_.admin(), id, "2.5"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(CorrectionsTest, WhatIsNoEnergyIsAnAnswer) {
  const std::string id = SubmitEstimate("2");
  const std::int64_t head = core_.app().head_sequence();
  EXPECT_EQ(Correct(core_.admin(), id, "1e3")->rejection(), v1::REJECTION_ENERGY_INVALID);
  EXPECT_EQ(Correct(core_.admin(), id, "-1")->rejection(), v1::REJECTION_ENERGY_NEGATIVE);
  const auto too_high = Correct(core_.admin(), id, "101");
  EXPECT_EQ(too_high->rejection(), v1::REJECTION_ENERGY_TOO_HIGH);
  EXPECT_FALSE(too_high->message().empty());
  EXPECT_EQ(too_high->reading().energy_kwh(), "2");
  EXPECT_EQ(core_.app().head_sequence(), head);
}

TEST_F(CorrectionsTest, WhatIsNotSaidIsRefused) {
  const std::string id = SubmitEstimate("2");
  EXPECT_THAT(Withdraw(core_.admin(), id, ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Withdraw(core_.admin(), id, std::string(201, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Withdraw(core_.admin(), "rubbish"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Correct(core_.admin(), id, "1", static_cast<v1::ReadingQuality>(77)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Withdraw(core_.admin(), domain::ReadingId(domain::Time(), 1, 99).ToString()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(CorrectionsTest, AnOwnerMayNotChangeWhatTheirMeterSaid) {
  const std::string id = SubmitEstimate("2");
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  EXPECT_THAT(Withdraw(ada, id), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Correct(ada, id, "50"), StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace wattmint::test
