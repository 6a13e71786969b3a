// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/plausibility.h"

#include "core/domain/mint_task.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wattmint::ingest {
namespace {

using domain::Energy;
using domain::PowerPeak;
using domain::Reading;
using domain::ReadingLimits;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

const domain::Time kFirst = domain::Time(std::chrono::sys_days{std::chrono::year{2026} / 6 / 1});

// An hour that brought so much, so long after the meter's first reading.
Reading Hour(std::string_view kwh, domain::Duration after = days(4)) {
  Reading reading;
  reading.start = kFirst + after;
  reading.length = hours(1);
  reading.energy = *Energy::Parse(kwh);
  return reading;
}

// A meter that has shown `peak_kw` kilowatts in four days.
MeterPast Past(std::int64_t peak_kw) {
  return {PowerPeak{kFirst, peak_kw * 1'000'000}, kFirst + days(4)};
}

bool IsJump(const Reading& reading, const MeterPast& past, const ReadingLimits& limits = {}) {
  const std::string reason = FindImplausible(reading, limits, past);
  EXPECT_TRUE(reason.empty() || domain::HasCode(reason, domain::mint_reason::kQuarantineJump))
      << reason;
  return !reason.empty();
}

TEST(PlausibilityTest, WhatMetersSendForNothingIsNotMinted) {
  for (const char* kwh : {"32.767", "65.535", "99.9", "99.99", "99.999", "327.67", "655.35"}) {
    const std::string reason = FindImplausible(Hour(kwh), {}, {});
    EXPECT_TRUE(domain::HasCode(reason, domain::mint_reason::kQuarantineSentinel)) << kwh;
    EXPECT_NE(reason.find(kwh), std::string::npos) << reason;
  }
}

TEST(PlausibilityTest, ASentinelIsAnExactNumber) {
  for (const Sentinel& sentinel : Sentinels()) {
    for (const std::int64_t off : {-1, 1}) {
      Reading reading = Hour("0");
      reading.energy = Energy::FromNanoKwh(sentinel.energy.nano_kwh() + off);
      EXPECT_EQ(FindImplausible(reading, {}, {}), "") << reading.energy.ToString();
    }
  }
}

TEST(PlausibilityTest, ASentinelIsOneOfAPointReadingAndOfANewMeterToo) {
  Reading reading = Hour("65.535");
  reading.length = domain::Duration::zero();
  EXPECT_NE(FindImplausible(reading, {}, {}), "");
}

TEST(PlausibilityTest, SentinelsAreDifferentAndExplained) {
  std::set<Energy> seen;
  for (const Sentinel& sentinel : Sentinels()) {
    EXPECT_TRUE(seen.insert(sentinel.energy).second) << sentinel.energy.ToString();
    EXPECT_FALSE(sentinel.what.empty());
  }
}

TEST(PlausibilityTest, AJumpIsMoreThanTenTimesTheGreatestPower) {
  EXPECT_FALSE(IsJump(Hour("20"), Past(2)));
  EXPECT_TRUE(IsJump(Hour("20.000001"), Past(2)));
  Reading quarter_hour = Hour("5");
  quarter_hour.length = minutes(15);
  EXPECT_FALSE(IsJump(quarter_hour, Past(2)));
  quarter_hour.energy = *Energy::Parse("5.000001");
  EXPECT_TRUE(IsJump(quarter_hour, Past(2)));
}

TEST(PlausibilityTest, TheFactorIsASetting) {
  ReadingLimits limits;
  limits.jump_factor = 3;
  EXPECT_FALSE(IsJump(Hour("6"), Past(2), limits));
  EXPECT_TRUE(IsJump(Hour("6.000001"), Past(2), limits));
}

TEST(PlausibilityTest, UpToTheFloorNothingIsAJump) {
  EXPECT_FALSE(IsJump(Hour("5"), Past(0)));
  EXPECT_TRUE(IsJump(Hour("5.000001"), Past(0)));
}

TEST(PlausibilityTest, AMeterShowsWhatItCanForThreeDays) {
  MeterPast past = Past(1);
  past.last_end = kFirst + days(3) - domain::Duration(1);
  EXPECT_FALSE(IsJump(Hour("50"), past));
  past.last_end = kFirst + days(3);
  EXPECT_TRUE(IsJump(Hour("50"), past));
  EXPECT_FALSE(IsJump(Hour("50"), {std::nullopt, kFirst + days(3)})) << "nothing counted so far";
  EXPECT_FALSE(IsJump(Hour("50"), {}));
}

TEST(PlausibilityTest, APointReadingHasNoPower) {
  Reading point = Hour("50");
  point.length = domain::Duration::zero();
  EXPECT_FALSE(IsJump(point, Past(1)));
  EXPECT_EQ(RaisedPeak(std::nullopt, point), std::nullopt);
}

TEST(PlausibilityTest, NothingIsSetAsideWhenQuarantineIsOff) {
  ReadingLimits limits;
  limits.quarantine = false;
  EXPECT_EQ(FindImplausible(Hour("65.535"), limits, Past(1)), "");
  EXPECT_EQ(FindImplausible(Hour("90"), limits, Past(1)), "");
}

TEST(PlausibilityTest, ThePeakOnlyRisesAndKeepsItsBeginning) {
  const auto first = RaisedPeak(std::nullopt, Hour("2", days(0)));
  EXPECT_EQ(first, (PowerPeak{kFirst, 2'000'000}));
  EXPECT_EQ(RaisedPeak(first, Hour("2")), std::nullopt);
  EXPECT_EQ(RaisedPeak(first, Hour("3", -days(9))), (PowerPeak{kFirst, 3'000'000}));
}

}  // namespace
}  // namespace wattmint::ingest
