// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/converters.h"

#include "core/access/reason.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace wattmint::rpc {
namespace {

using domain::Rejection;
using test::IsOk;
using test::StatusIs;

v1::ReadingInput Interval() {
  v1::ReadingInput input;
  input.set_meter_id("m-1");
  input.set_energy_kwh("12.5");
  input.mutable_interval_start()->set_seconds(1'700'000'000);
  input.mutable_interval()->set_seconds(900);
  return input;
}

v1::ReadingInput Point() {
  v1::ReadingInput input = Interval();
  *input.mutable_read_time() = input.interval_start();
  input.clear_interval_start();
  input.clear_interval();
  return input;
}

struct Fault {
  const char* why;
  Rejection expected;
  std::function<void(v1::ReadingInput&)> damage;
};

// In the order of the checks.
const std::vector<Fault>& Faults() {
  static const std::vector<Fault> faults = {
      {"no meter id", Rejection::kMeterIdInvalid, [](auto& r) { r.clear_meter_id(); }},
      {"a space", Rejection::kMeterIdInvalid, [](auto& r) { r.set_meter_id("meter 7"); }},
      {"65 bytes", Rejection::kMeterIdInvalid,
       [](auto& r) { r.set_meter_id(std::string(65, 'a')); }},
      {"no energy", Rejection::kEnergyInvalid, [](auto& r) { r.clear_energy_kwh(); }},
      {"an exponent", Rejection::kEnergyInvalid, [](auto& r) { r.set_energy_kwh("1e3"); }},
      {"no number", Rejection::kEnergyInvalid, [](auto& r) { r.set_energy_kwh("NaN"); }},
      {"ten digits", Rejection::kEnergyInvalid, [](auto& r) { r.set_energy_kwh("0.1234567891"); }},
      {"a comma", Rejection::kEnergyInvalid, [](auto& r) { r.set_energy_kwh("1,5"); }},
      {"too large", Rejection::kEnergyInvalid, [](auto& r) { r.set_energy_kwh("99999999999"); }},
      {"no time", Rejection::kTimeInvalid,
       [](auto& r) { r.clear_interval_start(), r.clear_interval(); }},
      {"both times", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_read_time()->set_seconds(1); }},
      {"no length", Rejection::kTimeInvalid, [](auto& r) { r.clear_interval(); }},
      {"length zero", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval()->set_seconds(0); }},
      {"length below zero", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval()->set_seconds(-900); }},
      {"length finer than 1 us", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval()->set_nanos(1); }},
      {"length without a start", Rejection::kTimeInvalid,
       [](auto& r) { r.clear_interval_start(), r.mutable_read_time()->set_seconds(1); }},
      {"start finer than 1 us", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval_start()->set_nanos(999); }},
      {"before 1970", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval_start()->set_seconds(-1); }},
      {"nanos below zero", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval_start()->set_nanos(-1'000); }},
      {"nanos of a second", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval_start()->set_nanos(1'000'000'000); }},
      {"after 9999", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval_start()->set_seconds(253'402'300'800); }},
      {"ends after 9999", Rejection::kTimeInvalid,
       [](auto& r) { r.mutable_interval()->set_seconds(253'402'300'799); }},
      {"a line feed", Rejection::kRequestIdInvalid, [](auto& r) { r.set_request_id("a\nb"); }},
      {"65 bytes", Rejection::kRequestIdInvalid,
       [](auto& r) { r.set_request_id(std::string(65, 'a')); }},
      {"long signature", Rejection::kRequestIdInvalid,
       [](auto& r) { r.set_meter_signature(std::string(257, 'a')); }},
      {"counter below zero", Rejection::kRequestIdInvalid,
       [](auto& r) { r.set_meter_counter(-1); }},
  };
  return faults;
}

TEST(ConvertersTest, EveryMalformedReadingHasItsRejection) {
  for (const Fault& fault : Faults()) {
    v1::ReadingInput input = Interval();
    fault.damage(input);
    const ingest::Candidate candidate = ToCandidate(input);
    EXPECT_EQ(candidate.malformed.rejection, fault.expected)
        << fault.why << ": " << candidate.malformed.message;
    EXPECT_FALSE(candidate.malformed.message.empty()) << fault.why;
  }
}

TEST(ConvertersTest, OfTwoFaultsTheFirstInOrderIsTheAnswer) {
  for (const Fault& one : Faults()) {
    for (const Fault& other : Faults()) {
      if (one.expected >= other.expected) continue;
      v1::ReadingInput input = Interval();
      other.damage(input);
      one.damage(input);
      EXPECT_EQ(ToCandidate(input).malformed.rejection, one.expected)
          << one.why << " and " << other.why;
    }
  }
}

TEST(ConvertersTest, AnIntervalIsReadExactly) {
  v1::ReadingInput input = Interval();
  input.mutable_interval_start()->set_nanos(123'456'000);
  input.set_quality(v1::READING_QUALITY_FINAL);
  input.set_channel(v1::ENERGY_CHANNEL_CONSUMPTION);
  input.set_request_id("r-1");
  input.set_meter_signature("sig");
  input.set_meter_counter(42);
  input.mutable_telemetry()->set_voltage_volts(230.5);
  const ingest::Candidate candidate = ToCandidate(input);
  const domain::Reading& reading = candidate.reading;
  EXPECT_EQ(candidate.malformed.rejection, Rejection::kNone) << candidate.malformed.message;
  EXPECT_EQ(reading.meter_id, "m-1");
  EXPECT_EQ(reading.energy.nano_kwh(), 12'500'000'000);
  EXPECT_EQ(reading.start.time_since_epoch().count(), 1'700'000'000'123'456);
  EXPECT_EQ(reading.length, std::chrono::minutes(15));
  EXPECT_EQ(reading.quality, domain::Quality::kFinal);
  EXPECT_EQ(reading.channel, domain::Channel::kConsumption);
  EXPECT_EQ(reading.request_id, "r-1");
  EXPECT_EQ(reading.meter_signature, "sig");
  EXPECT_EQ(reading.meter_counter, 42);
  EXPECT_EQ(reading.telemetry.voltage_volts, 230.5);
  EXPECT_EQ(candidate.start, reading.start);
}

TEST(ConvertersTest, APointIsReadExactly) {
  const ingest::Candidate candidate = ToCandidate(Point());
  EXPECT_EQ(candidate.malformed.rejection, Rejection::kNone) << candidate.malformed.message;
  EXPECT_TRUE(candidate.reading.IsPoint());
}

TEST(ConvertersTest, NegativeEnergyIsReadSoThatItsOwnCheckAnswers) {
  v1::ReadingInput input = Interval();
  input.set_energy_kwh("-0.5");
  const ingest::Candidate candidate = ToCandidate(input);
  EXPECT_EQ(candidate.malformed.rejection, Rejection::kNone);
  EXPECT_EQ(candidate.reading.energy.nano_kwh(), -500'000'000);
}

TEST(ConvertersTest, WhatALaterVersionSaysIsNeverMinted) {
  v1::ReadingInput input = Interval();
  input.set_quality(static_cast<v1::ReadingQuality>(99));
  input.set_channel(static_cast<v1::EnergyChannel>(99));
  const ingest::Candidate candidate = ToCandidate(input);
  EXPECT_EQ(candidate.reading.quality, domain::Quality::kEstimated);
  EXPECT_EQ(candidate.reading.channel, domain::Channel::kConsumption);
}

TEST(ConvertersTest, TelemetryThatIsNoNumberIsLeftOut) {
  v1::ReadingInput input = Interval();
  input.mutable_telemetry()->set_voltage_volts(std::numeric_limits<double>::quiet_NaN());
  input.mutable_telemetry()->set_power_watts(std::numeric_limits<double>::infinity());
  EXPECT_TRUE(ToCandidate(input).reading.telemetry.IsEmpty());
}

TEST(ConvertersTest, MessagesQuoteNothingDangerous) {
  v1::ReadingInput input = Interval();
  input.set_meter_id("\x1b[31m" + std::string(500, 'x'));
  const std::string message = ToCandidate(input).malformed.message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 250u);
}

TEST(ConvertersTest, AnswersSayWhatBecameOfAReading) {
  ingest::Answer accepted{ingest::Outcome::kAccepted,
                          domain::ReadingId(domain::Time(), 1, 5),
                          {},
                          domain::MintState::kNotApplicable};
  ingest::Answer rejected{ingest::Outcome::kRejected,
                          std::nullopt,
                          {Rejection::kEnergyTooHigh, "101 kWh"},
                          domain::MintState::kPending};
  ingest::Answer existed = accepted;
  existed.outcome = ingest::Outcome::kExists;
  EXPECT_EQ(ToProto(accepted).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(ToProto(accepted).mint_state(), v1::MINT_STATE_NOT_APPLICABLE);
  EXPECT_EQ(ToProto(existed).outcome(), v1::SUBMIT_OUTCOME_EXISTS);
  EXPECT_EQ(ToProto(existed).reading_id(), accepted.reading_id->ToString());
  EXPECT_EQ(ToProto(rejected).rejection(), v1::REJECTION_ENERGY_TOO_HIGH);
  EXPECT_EQ(ToProto(rejected).message(), "101 kWh");
  EXPECT_EQ(ToProto(rejected).mint_state(), v1::MINT_STATE_UNSPECIFIED);
  ingest::Answer quarantined = accepted;
  quarantined.mint_state = domain::MintState::kParked;
  quarantined.refusal.message = "QUARANTINE_JUMP: why";
  EXPECT_EQ(ToProto(quarantined).mint_state(), v1::MINT_STATE_PARKED);
  EXPECT_EQ(ToProto(quarantined).rejection(), v1::REJECTION_UNSPECIFIED);
  EXPECT_EQ(ToProto(quarantined).message(), "QUARANTINE_JUMP: why");
  const std::vector<ingest::Answer> answers = {accepted, existed, rejected, rejected, quarantined};
  const v1::SubmitCounts counts = CountsOf(answers);
  EXPECT_EQ(counts.accepted(), 2);
  EXPECT_EQ(counts.quarantined(), 1);
  EXPECT_EQ(counts.not_applicable(), 1);
  EXPECT_EQ(counts.existed(), 1);
  EXPECT_EQ(counts.rejected(), 2);
}

TEST(ConvertersTest, EveryRejectionHasItsNumberInTheProto) {
  for (int i = 0; i <= domain::kRejectionsMax; ++i) {
    ASSERT_TRUE(v1::Rejection_IsValid(i));
    const std::string expected =
        i == 0 ? "REJECTION_UNSPECIFIED"
               : "REJECTION_" + std::string(domain::Name(static_cast<Rejection>(i)));
    EXPECT_EQ(v1::Rejection_Name(static_cast<v1::Rejection>(i)), expected);
  }
}

TEST(ConvertersTest, AFilterGoesThereAndBack) {
  v1::EventFilter filter;
  filter.add_types(v1::EVENT_TYPE_TOKENS_MINTED);
  filter.add_meter_ids("m-1");
  filter.add_user_ids("ada");
  filter.add_wallet_addresses("4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi");
  filter.add_batch_ids("0197a1b2-0000-4000-8000-000000000000");
  filter.add_task_ids(4);
  filter.add_mint_states(v1::MINT_STATE_PARKED);
  filter.set_min_energy_kwh("0.5");
  filter.set_max_energy_kwh("7");
  const auto domain = FilterFromProto(filter);
  ASSERT_THAT(domain, IsOk());
  EXPECT_EQ(ToProto(*domain).SerializeAsString(), filter.SerializeAsString());
}

TEST(ConvertersTest, FiltersThatAreNoneAreRefused) {
  const std::vector<std::function<void(v1::EventFilter&)>> faults = {
      [](auto& f) { f.add_types(v1::EVENT_TYPE_UNSPECIFIED); },
      [](auto& f) { f.add_types(static_cast<v1::EventType>(1)); },
      [](auto& f) { f.add_mint_states(static_cast<v1::MintState>(77)); },
      [](auto& f) { f.set_min_energy_kwh("many"); },
      [](auto& f) { f.set_max_energy_kwh("1e9"); },
      [](auto& f) { f.set_min_energy_kwh("2"), f.set_max_energy_kwh("1"); },
      [](auto& f) {
        for (int i = 0; i < 1'001; ++i) f.add_meter_ids("m-" + std::to_string(i));
      },
  };
  for (const auto& fault : faults) {
    v1::EventFilter filter;
    fault(filter);
    EXPECT_THAT(FilterFromProto(filter), StatusIs(absl::StatusCode::kInvalidArgument))
        << filter.ShortDebugString().substr(0, 80);
  }
}

TEST(ConvertersTest, RolesGoThereAndBack) {
  v1::ApiKey key;
  key.add_roles(v1::ROLE_USER);
  key.add_roles(v1::ROLE_VIEWER);
  const auto roles = RolesFromProto(key.roles());
  ASSERT_THAT(roles, IsOk());
  v1::ApiKey back;
  RolesToProto(*roles, *back.mutable_roles());
  EXPECT_EQ(back.SerializeAsString(), key.SerializeAsString());
  key.add_roles(v1::ROLE_UNSPECIFIED);
  EXPECT_THAT(RolesFromProto(key.roles()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ConvertersTest, PageSizesAreBounded) {
  EXPECT_EQ(*PageSize(0, 100, 1'000), 100);
  EXPECT_EQ(*PageSize(1'000, 100, 1'000), 1'000);
  EXPECT_THAT(PageSize(1'001, 100, 1'000), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PageSize(-1, 100, 1'000), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ConvertersTest, PageTokensBelongToTheirList) {
  EXPECT_EQ(*ReadPageToken("meters", PageTokenOf("meters", "m-1")), "m-1");
  EXPECT_EQ(*ReadPageToken("meters", ""), "");
  EXPECT_EQ(*ReadPageTokenNumber("mints", PageTokenOf("mints", "17")), 17);
  EXPECT_EQ(*ReadPageTokenNumber("mints", ""), 0);
  for (const std::string& token :
       {PageTokenOf("meters", "17"), std::string("!"), PageTokenOf("mints", "x"),
        PageTokenOf("mints", "-4"), PageTokenOf("mints", "17x"), PageTokenOf("mintsx", "1")}) {
    EXPECT_THAT(ReadPageTokenNumber("mints", token), StatusIs(absl::StatusCode::kInvalidArgument))
        << token;
  }
}

TEST(ConvertersTest, ReadingIdsThatAreNoneAreRefused) {
  EXPECT_THAT(ReadingIdFromProto("x"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadingIdFromProto(domain::ReadingId(domain::Time(), 1, 5).ToString()), IsOk());
}

TEST(ConvertersTest, AnAcceptedReadingIsToldWhole) {
  domain::AcceptedReading accepted;
  accepted.reading_id = domain::ReadingId(domain::Time(), 1, 5);
  accepted.reading = ToCandidate(Interval()).reading;
  accepted.reading.telemetry = {1.0, 2.0, 3.0, 4.0};
  accepted.user_id = "ada";
  accepted.task_id = 5;
  const v1::Reading out = ToProto(accepted);
  EXPECT_EQ(out.energy_kwh(), "12.5");
  EXPECT_EQ(out.interval().seconds(), 900);
  EXPECT_EQ(out.telemetry().frequency_hertz(), 4.0);
  EXPECT_EQ(out.user_id(), "ada");
  EXPECT_EQ(out.task_id(), 5);
  EXPECT_EQ(out.mint_state(), v1::MINT_STATE_PENDING);
}

TEST(ConvertersTest, AReconciliationIsToldWhole) {
  mint::ReconcileSchedule::Report report;
  report.end_time = domain::Time(std::chrono::seconds(3));
  report.found.mints_checked = 9;
  report.found.discrepancies_count = 200;
  report.found.confirmed = domain::TokenAmount::FromBaseUnits(5);
  report.found.on_ledger = domain::TokenAmount::FromBaseUnits(7);
  for (int kind = 1; kind < v1::DiscrepancyKind_ARRAYSIZE; ++kind) {
    report.found.discrepancies.push_back(
        {.kind = static_cast<mint::DiscrepancyKind>(kind), .task_id = 4});
  }
  report.found.discrepancies[0].task_state = domain::MintState::kParked;
  const v1::ReconcileResponse out = ToProto(report);
  EXPECT_EQ(out.end_time().seconds(), 3);
  EXPECT_EQ(out.mints_checked(), 9);
  EXPECT_EQ(out.discrepancies_count(), 200);
  EXPECT_EQ(out.unexplained_base_units(), 2);
  EXPECT_FALSE(out.balanced());
  EXPECT_FALSE(out.healthy());
  EXPECT_EQ(out.discrepancies(0).task_state(), v1::MINT_STATE_PARKED);
  EXPECT_EQ(out.discrepancies(1).task_state(), v1::MINT_STATE_UNSPECIFIED);
  ASSERT_EQ(out.discrepancies_size(), v1::DiscrepancyKind_ARRAYSIZE - 1);
  for (int i = 0; i < out.discrepancies_size(); ++i) {
    EXPECT_EQ("DISCREPANCY_KIND_" + std::string(Name(report.found.discrepancies[i].kind)),
              v1::DiscrepancyKind_Name(out.discrepancies(i).kind()));
  }
}

}  // namespace
}  // namespace wattmint::rpc
