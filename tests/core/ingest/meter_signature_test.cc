// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/meter_signature.h"

#include "core/base/time_format.h"
#include "core/ingest/reading_text.h"
#include "tests/support/signing_meter.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace wattmint::ingest {
namespace {

using domain::Reading;
using domain::Rejection;
using test::SigningMeter;
using testing::HasSubstr;

// The vectors that the product of the older text published: a seed of 32 bytes 01.
constexpr base::Ed25519Seed kSeed = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
constexpr char kPublicKey[] = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9";
constexpr char kWallet[] = "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx";
constexpr char kLegacySignature[] =
    "4YWBqFXJ1cFTqiBwXKsbuEMBzAyqozTbh7Zhkb1mT5Ek7ScvH3KD4Ut9yBzRo9n88QWHe2R5XGLjjm6j2Y3WzS2H";
// Of another scheme, over METER-001:10.5:1764734400000.
constexpr char kColonSignature[] =
    "63f6u5rCL4FAggoteBN9cEVKY1jzeBd44ZdqgNm46u4zcCyQuAp31Tev2bAue1SnmDZAXLpkuCEkAz8D67i8c68o";

domain::Time At(std::string_view text) { return base::ParseRfc3339(text).value(); }
domain::Energy Kwh(std::string_view text) { return domain::Energy::Parse(text).value(); }

Reading QuarterHour() {
  Reading reading;
  reading.meter_id = "roof-1";
  reading.energy = Kwh("1.25");
  reading.start = At("2026-06-01T12:00:00Z");
  reading.length = std::chrono::minutes(15);
  return reading;
}

Reading LegacyPoint() {
  Reading reading;
  reading.meter_id = "METER-001";
  reading.energy = Kwh("10.5");
  reading.start = At("2025-12-03T04:00:00Z");
  reading.meter_signature = kLegacySignature;
  return reading;
}

domain::Meter MeterWith(std::string public_key, std::string wallet = kWallet) {
  return {.meter_id = "roof-1",
          .user_id = "ada",
          .wallet_address = std::move(wallet),
          .public_key = std::move(public_key)};
}

Rejection Check(const Reading& reading, const domain::Meter& meter,
                const domain::ReadingLimits& limits = {}) {
  const domain::Refusal refusal = CheckSignature(reading, meter, limits);
  EXPECT_EQ(refusal.message.empty(), refusal.rejection == Rejection::kNone);
  return refusal.rejection;
}

constexpr domain::ReadingLimits kLegacy = {.legacy_signatures = true};

std::string ProtosReadme() {
  std::ifstream file(WATTMINT_PROTOS_README);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ReadingTextTest, TheExampleOfTheReadmeHoldsByteForByte) {
  const std::string readme = ProtosReadme();
  const std::string title = "```\nwattmint reading 1\n";
  const std::size_t begin = readme.find(title);
  ASSERT_NE(begin, std::string::npos);
  const std::string text = readme.substr(begin + 4, readme.find("```", begin + 4) - begin - 4);
  const Reading reading = SigningMeter(kSeed).Signed(QuarterHour(), 42);
  EXPECT_EQ(ReadingText(reading), text);
  EXPECT_THAT(readme, HasSubstr("`" + reading.meter_signature + "`"));
  EXPECT_THAT(readme, HasSubstr("`" + SigningMeter(kSeed).public_key() + "`"));
  EXPECT_EQ(Check(reading, MeterWith(kPublicKey)), Rejection::kNone);
}

TEST(ReadingTextTest, EveryValueHasOneForm) {
  Reading reading = QuarterHour();
  reading.energy = Kwh("100.000");
  reading.start += domain::Duration(7);
  reading.length = domain::Duration::zero();
  reading.quality = domain::Quality::kSubstituted;
  reading.channel = domain::Channel::kConsumption;
  reading.meter_counter = 9'223'372'036'854'775'807;
  EXPECT_EQ(ReadingText(reading),
            "wattmint reading 1\nmeter roof-1\nstart_us 1780315200000007\nlength_us 0\n"
            "energy_kwh 100\nquality substituted\nchannel consumption\n"
            "counter 9223372036854775807\n");
  for (const char* energy : {"0", "0.000000001", "1.5"}) {
    reading.energy = Kwh(energy);
    EXPECT_THAT(ReadingText(reading), HasSubstr(std::string("\nenergy_kwh ") + energy + "\n"));
  }
  for (const auto& [quality, name] : {std::pair{domain::Quality::kActual, "actual"},
                                      {domain::Quality::kEstimated, "estimated"},
                                      {domain::Quality::kFinal, "final"}}) {
    reading.quality = quality;
    EXPECT_THAT(ReadingText(reading), HasSubstr(std::string("\nquality ") + name + "\n"));
  }
}

TEST(ReadingTextTest, TheOlderTextIsThatOfItsProduct) {
  const std::string readme = ProtosReadme();
  const std::string text = LegacyReadingText(LegacyPoint(), kWallet);
  EXPECT_THAT(readme, HasSubstr("```\n" + text + "\n```"));
  EXPECT_EQ(SigningMeter(kSeed).Sign(text), kLegacySignature);
  Reading reading = LegacyPoint();
  reading.energy = Kwh("0.000001");
  reading.start += std::chrono::milliseconds(120);
  EXPECT_THAT(LegacyReadingText(reading, kWallet),
              HasSubstr("\ntimestamp: 2025-12-03T04:00:00.120+00:00\nkwh_amount: 0.000001\n"));
}

struct Alteration {
  const char* why;
  std::function<void(Reading&)> alter;
};

TEST(MeterSignatureTest, NothingThatCountsCanBeChangedOnTheWay) {
  const SigningMeter device(1);
  const domain::Meter meter = MeterWith(device.public_key());
  const Reading good = device.Signed(QuarterHour(), 42);
  ASSERT_EQ(Check(good, meter), Rejection::kNone);
  const std::vector<Alteration> alterations = {
      {"another meter", [](Reading& r) { r.meter_id = "roof-2"; }},
      {"ten times the energy", [](Reading& r) { r.energy = Kwh("12.5"); }},
      {"the least more energy", [](Reading& r) { r.energy = Kwh("1.250000001"); }},
      {"a moment later", [](Reading& r) { r.start += domain::Duration(1); }},
      {"a moment longer", [](Reading& r) { r.length += domain::Duration(1); }},
      {"a point", [](Reading& r) { r.length = domain::Duration::zero(); }},
      {"another quality", [](Reading& r) { r.quality = domain::Quality::kFinal; }},
      {"another channel", [](Reading& r) { r.channel = domain::Channel::kConsumption; }},
      {"another counter", [](Reading& r) { r.meter_counter = 43; }},
      {"no counter", [](Reading& r) { r.meter_counter = 0; }},
      {"not base58", [](Reading& r) { r.meter_signature[5] = '0'; }},
      {"another character", [](Reading& r) { r.meter_signature[5] ^= 1; }},
      {"cut off", [](Reading& r) { r.meter_signature.pop_back(); }},
      {"far too long", [](Reading& r) { r.meter_signature += std::string(150, '2'); }},
      {"of another key",
       [](Reading& r) { r.meter_signature = SigningMeter(2).Sign(ReadingText(r)); }},
      {"of the older text", [](Reading& r) { r = SigningMeter(1).LegacySigned(r, kWallet); }},
  };
  for (const Alteration& alteration : alterations) {
    Reading reading = good;
    alteration.alter(reading);
    for (const domain::ReadingLimits& limits : {domain::ReadingLimits{}, kLegacy}) {
      EXPECT_EQ(Check(reading, meter, limits), Rejection::kMeterSignatureInvalid) << alteration.why;
    }
  }
  Reading other = good;
  other.request_id = "r";
  other.telemetry.voltage_volts = 230;
  EXPECT_EQ(Check(other, meter), Rejection::kNone) << "what decides nothing is not signed";
}

// A second form of a signature (S plus the order of the group) would let one reading come as two.
TEST(MeterSignatureTest, ASignatureHasOneForm) {
  const SigningMeter device(1);
  Reading reading = device.Signed(QuarterHour(), 42);
  constexpr std::uint8_t kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                       0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10};
  auto bytes = base::DecodeBase58Array<64>(reading.meter_signature).value();
  unsigned carry = 0;
  for (int i = 0; i < 32; ++i) {
    carry += bytes[32 + i] + kOrder[i];
    bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  reading.meter_signature = base::EncodeBase58(bytes);
  EXPECT_EQ(Check(reading, MeterWith(device.public_key())), Rejection::kMeterSignatureInvalid);
}

// Such a key is refused by the registry; one that got there by hand must not verify a forgery.
TEST(MeterSignatureTest, AForgeryUnderAKeyOfSmallOrderIsRefused) {
  std::array<std::uint8_t, 32> identity{};
  identity[0] = 1;
  std::array<std::uint8_t, 64> forged{};
  forged[0] = 1;
  Reading reading = QuarterHour();
  reading.meter_counter = 1;
  reading.meter_signature = base::EncodeBase58(forged);
  EXPECT_EQ(Check(reading, MeterWith(base::EncodeBase58(identity))),
            Rejection::kMeterSignatureInvalid);
}

TEST(MeterSignatureTest, WhoMustSign) {
  const SigningMeter device(1);
  struct Case {
    const char* why;
    bool has_key;
    bool is_signed;
    bool is_required;
    Rejection expected;
  };
  for (const Case& c : {
           Case{"neither key nor signature", false, false, false, Rejection::kNone},
           Case{"cannot be verified", false, true, false, Rejection::kNone},
           Case{"a key, no signature", true, false, false, Rejection::kMeterSignatureMissing},
           Case{"a key and a signature", true, true, false, Rejection::kNone},
           Case{"required of all", false, false, true, Rejection::kMeterSignatureMissing},
           Case{"required, no key", false, true, true, Rejection::kMeterSignatureInvalid},
           Case{"required, none there", true, false, true, Rejection::kMeterSignatureMissing},
           Case{"required and there", true, true, true, Rejection::kNone},
       }) {
    const Reading reading = c.is_signed ? device.Signed(QuarterHour(), 1) : QuarterHour();
    EXPECT_EQ(Check(reading, MeterWith(c.has_key ? device.public_key() : ""),
                    {.signatures_required = c.is_required}),
              c.expected)
        << c.why;
  }
}

TEST(LegacySignatureTest, IsAcceptedOnlyWhereItIsAskedFor) {
  EXPECT_EQ(Check(LegacyPoint(), MeterWith(kPublicKey), kLegacy), Rejection::kNone);
  EXPECT_EQ(Check(LegacyPoint(), MeterWith(kPublicKey)), Rejection::kMeterSignatureInvalid);
}

TEST(LegacySignatureTest, IsGoodForWhatItCoversOnly) {
  const SigningMeter device(kSeed);
  const std::vector<Alteration> alterations = {
      {"other energy", [](Reading& r) { r.energy = Kwh("10.500001"); }},
      {"energy beyond six digits", [](Reading& r) { r.energy = Kwh("10.500000001"); }},
      {"energy below zero", [](Reading& r) { r.energy = Kwh("-10.5"); }},
      {"another time", [](Reading& r) { r.start += domain::Duration(1); }},
      {"an interval", [](Reading& r) { r.length = std::chrono::minutes(15); }},
      {"consumption", [](Reading& r) { r.channel = domain::Channel::kConsumption; }},
      {"an estimate", [](Reading& r) { r.quality = domain::Quality::kEstimated; }},
      {"a counter", [](Reading& r) { r.meter_counter = 1; }},
      {"another meter", [](Reading& r) { r.meter_id = "METER-002"; }},
      {"another scheme", [](Reading& r) { r.meter_signature = kColonSignature; }},
  };
  for (const Alteration& alteration : alterations) {
    Reading reading = LegacyPoint();
    alteration.alter(reading);
    EXPECT_EQ(Check(reading, MeterWith(kPublicKey), kLegacy), Rejection::kMeterSignatureInvalid)
        << alteration.why;
  }
  for (const char* wallet : {"", "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur"}) {
    EXPECT_EQ(Check(LegacyPoint(), MeterWith(kPublicKey, wallet), kLegacy),
              Rejection::kMeterSignatureInvalid)
        << "the wallet is the registry's";
  }
}

TEST(SignatureVerdictTest, HoldsAsLongAsKeyAndWalletAreTheSame) {
  const domain::Meter meter = MeterWith(kPublicKey);
  const SignatureVerdict verdict{meter.public_key, meter.wallet_address, {}};
  EXPECT_TRUE(verdict.HoldsFor(meter));
  EXPECT_FALSE(verdict.HoldsFor(MeterWith(SigningMeter(2).public_key())));
  EXPECT_FALSE(verdict.HoldsFor(MeterWith(kPublicKey, "")));
}

}  // namespace
}  // namespace wattmint::ingest
