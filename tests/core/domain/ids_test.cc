// SPDX-License-Identifier: Apache-2.0
#include "core/domain/ids.h"

#include "core/domain/mint_state.h"
#include "core/domain/mint_task.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::domain {
namespace {

constexpr Time kNoon = Time(std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}) +
                       std::chrono::hours(12) + Duration(123'456);

TEST(IdsTest, MeterIdTakesLettersDigitsAndFourMarks) {
  EXPECT_TRUE(IsMeterId("FONT-01"));
  EXPECT_TRUE(IsMeterId("a.b_c:d-9"));
  EXPECT_TRUE(IsMeterId(std::string(64, 'x')));
  for (const char* bad : {"", "a b", "a/b", "a@b", "\xc3\xa9", "a\n"}) {
    EXPECT_FALSE(IsMeterId(bad)) << bad;
  }
  EXPECT_FALSE(IsMeterId(std::string(65, 'x')));
}

TEST(IdsTest, AMeterKeyIsAPointUnderWhichOnlyItsOwnerCanSign) {
  EXPECT_TRUE(IsMeterKey("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"));
  EXPECT_FALSE(IsMeterKey(std::string(32, '1'))) << "32 zeros: a point of order 4";
  EXPECT_FALSE(IsMeterKey("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ")) << "too short";
  EXPECT_FALSE(IsMeterKey("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ0")) << "no base58";
  EXPECT_FALSE(IsMeterKey(""));
}

TEST(IdsTest, UserIdMayBeAnAddress) {
  EXPECT_TRUE(IsUserId("alice@example.com"));
  EXPECT_FALSE(IsUserId("alice bob"));
  EXPECT_FALSE(IsUserId(""));
}

TEST(IdsTest, WalletIsBase58OfThirtyTwoBytes) {
  EXPECT_TRUE(IsWalletAddress("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"));
  EXPECT_TRUE(IsWalletAddress("11111111111111111111111111111111"));
  EXPECT_FALSE(IsWalletAddress("1111111111111111111111111111111"));
  EXPECT_FALSE(IsWalletAddress("0KnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"));
  EXPECT_FALSE(IsWalletAddress(""));
  EXPECT_FALSE(IsWalletAddress("0x52908400098527886E0F7030069857D2E4169EE7"));
}

TEST(IdsTest, RequestIdIsPrintableAsciiOrNothing) {
  EXPECT_TRUE(IsRequestId(""));
  EXPECT_TRUE(IsRequestId("order 17/b"));
  EXPECT_FALSE(IsRequestId("tab\t"));
  EXPECT_FALSE(IsRequestId(std::string(65, 'x')));
}

TEST(ReadingIdTest, IsAUuidOfVersionSevenThatHoldsItsRow) {
  const ReadingId id(kNoon, 0xabc, 148'920);
  EXPECT_EQ(id.row(), 148'920);
  EXPECT_EQ(id.salt(), 0xabc);
  EXPECT_EQ(Time(std::chrono::milliseconds(id.accept_ms())), kNoon - Duration(456));
  const std::string text = id.ToString();
  EXPECT_EQ(text.size(), 36U);
  EXPECT_EQ(text[14], '7');
  EXPECT_EQ(text[19], '8');
}

TEST(ReadingIdTest, ComesBackFromItsText) {
  for (const std::int64_t row :
       {std::int64_t{1}, std::int64_t{1} << 40, (std::int64_t{1} << 62) - 1}) {
    const ReadingId id(kNoon, 7, row);
    EXPECT_EQ(ReadingId::Parse(id.ToString()), id);
    EXPECT_EQ(id.row(), row);
  }
}

TEST(ReadingIdTest, RefusesOtherUuids) {
  EXPECT_FALSE(ReadingId::Parse(""));
  EXPECT_FALSE(ReadingId::Parse("not-a-uuid"));
  EXPECT_FALSE(ReadingId::Parse("c232ab00-9414-4ef6-8d4e-2b1a5a3b9f00")) << "version 4";
  EXPECT_FALSE(ReadingId::Parse("0190163d-8694-7abc-8000-000000000000")) << "row 0";
}

TEST(ReadingIdTest, SortsByTimeOfAcceptance) {
  EXPECT_LT(ReadingId(kNoon, 1, 9), ReadingId(kNoon + std::chrono::milliseconds(1), 1, 3));
}

TEST(IdempotencyKeyTest, IsTheReadingForEver) {
  const ReadingId id(kNoon, 1, 9);
  EXPECT_EQ(IdempotencyKey(id), id.ToString());
}

TEST(NamesTest, EveryStateAndRejectionHasOne) {
  EXPECT_EQ(Name(MintState::kPending), "PENDING");
  EXPECT_EQ(Name(MintState::kNotApplicable), "NOT_APPLICABLE");
  EXPECT_EQ(Name(static_cast<MintState>(99)), "UNKNOWN");
  EXPECT_EQ(Name(Rejection::kMeterIdInvalid), "METER_ID_INVALID");
  EXPECT_EQ(Name(Rejection::kSubmittedTooSoon), "SUBMITTED_TOO_SOON");
  EXPECT_EQ(Name(Rejection::kMeterCounterReplayed), "METER_COUNTER_REPLAYED");
  EXPECT_EQ(Name(static_cast<Rejection>(kRejectionsMax + 1)), "UNKNOWN");
}

TEST(NamesTest, EveryQualityAndChannelHasOne) {
  EXPECT_EQ(Name(Quality::kActual), "actual");
  EXPECT_EQ(Name(Quality::kFinal), "final");
  EXPECT_EQ(Name(Channel::kGeneration), "generation");
  EXPECT_EQ(Name(Channel::kConsumption), "consumption");
}

}  // namespace
}  // namespace wattmint::domain
