// SPDX-License-Identifier: Apache-2.0
#include "cli/check/observed_event.h"

#include "bridge/json_encoder.h"
#include "core/domain/event.h"
#include "core/wire/event_codec.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace wattmint::check {
namespace {

using domain::MintState;
using nlohmann::json;

const domain::Time kTime{std::chrono::seconds(1'767'608'100)};
const domain::ReadingId kReading(kTime, 7, 5);
constexpr char kUser[] = "check-1-user-2";
constexpr char kMeter[] = "check-1-meter-5";
constexpr char kWallet[] = "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur";

domain::Energy Kwh(const char* text) { return *domain::Energy::Parse(text); }

// Each fact with every member that there is.
std::vector<domain::Fact> Facts() {
  const domain::TokenAmount tokens = domain::TokenAmount::FromBaseUnits(9);
  return {
      domain::MeterReadingReceived{kUser, kWallet, kMeter, Kwh("1"), kReading, kTime,
                                   std::chrono::seconds(60)},
      domain::MeterReadingValidationFailed{
          kUser, kWallet, kMeter, Kwh("1"), {domain::Rejection::kEnergyNegative, "why"}, kTime},
      domain::TokensMinted{kUser, kWallet, kMeter, Kwh("1"), tokens, "sig", kReading, 5, "b",
                           kTime},
      domain::BatchMintingCompleted{"b", 4, 1, 1, 1, 1},
      domain::TaskCreated{5, kUser, kMeter, kReading, Kwh("1")},
      domain::TaskUpdated{5, kUser, kMeter, "b", kWallet, tokens, "sig", 3},
      domain::TaskStatusChanged{5, kUser, kMeter, "b", MintState::kPending, MintState::kParked,
                                "why"},
      domain::TaskFeeUpdated{5, kUser, kMeter, "b", 1, 2},
      domain::MeterChanged{kUser, kMeter, kWallet, "key"},
      domain::ApiKeyChanged{kUser, "key", true},
      domain::MintingSwitched{true, "why"},
      domain::ReadingCorrected{kUser, kWallet, kMeter, Kwh("1"), kReading, 5, kTime, Kwh("2"),
                               domain::Quality::kFinal, domain::Quality::kEstimated, "why", 3},
      domain::ReadingWithdrawn{kUser, kWallet, kMeter, Kwh("1"), kReading, 5, kTime, "why", 3},
      domain::SystemAlert{"maintenance", domain::Severity::kInfo, "at 18:00"},
      domain::Notification{kUser, domain::Severity::kInfo, "hello"},
  };
}

v1::Event Message(const domain::Fact& fact) {
  v1::Event event;
  event.ParseFromString(wire::EncodePayload(kTime, fact));
  event.set_sequence(42);
  return event;
}

json Frame(const domain::Fact& fact) {
  return json::parse(bridge::EncodeEvent({42, kTime, fact}, bridge::Encoding::kJson, ""));
}

TEST(ObservedEventTest, BothTransportsCarryWhatTheLogSays) {
  const Cast cast("1", 3);
  for (const domain::Fact& fact : Facts()) {
    SCOPED_TRACE(domain::Name(domain::TypeOf(fact)));
    const LogEntry entry = Observe(Message(fact), cast);
    EXPECT_EQ(entry.type, static_cast<std::uint16_t>(domain::TypeOf(fact)));
    EXPECT_EQ(entry.grpc_digest, DigestOfPayload(wire::EncodePayload(kTime, fact)));
    EXPECT_EQ(entry.json_digest, DigestOfFrame(Frame(fact)));
  }
}

TEST(ObservedEventTest, EveryMemberOfEveryFrameCounts) {
  for (const domain::Fact& fact : Facts()) {
    const json frame = Frame(fact);
    const std::uint64_t digest = DigestOfFrame(frame);
    const json flat = frame.flatten();
    for (const auto& [path, value] : flat.items()) {
      json changed = frame;
      changed[json::json_pointer(path)] = "another";
      EXPECT_NE(DigestOfFrame(changed), digest) << frame["type"] << path;
    }
  }
}

TEST(ObservedEventTest, MembersOfALaterVersionDoNotCount) {
  json frame = Frame(Facts().front());
  const std::uint64_t digest = DigestOfFrame(frame);
  frame["data"]["later"] = 1;
  frame["later"] = 1;
  EXPECT_EQ(DigestOfFrame(frame), digest);
}

TEST(ObservedEventTest, AlertsAreForEverybodyAndNotificationsForTheirUser) {
  const Cast cast("1", 3);
  const LogEntry alert = Observe(Message(domain::SystemAlert{"k", {}, "m"}), cast);
  EXPECT_EQ(alert.user, LogEntry::kEverybody);
  EXPECT_EQ(alert.meter, LogEntry::kOther);
  const LogEntry notification = Observe(Message(domain::Notification{kUser, {}, "m"}), cast);
  EXPECT_EQ(notification.user, 1);
  EXPECT_EQ(notification.meter, LogEntry::kOther);
}

TEST(ObservedEventTest, AnEventOfAMeterIsItsOwnersUnlessItIsForAdmins) {
  const Cast cast("1", 3);
  const std::set<domain::EventType> for_admins = {domain::EventType::kBatchMintingCompleted,
                                                  domain::EventType::kApiKeyChanged,
                                                  domain::EventType::kMintingSwitched};
  for (const domain::Fact& fact : Facts()) {
    const domain::EventType type = domain::TypeOf(fact);
    SCOPED_TRACE(domain::Name(type));
    if (type >= domain::EventType::kSystemAlert) continue;  // of no meter
    const bool is_for_admins = for_admins.contains(type);
    EXPECT_EQ(Observe(Message(fact), cast).user, is_for_admins ? LogEntry::kOther : 1);
    EXPECT_EQ(Observe(Message(fact), cast).meter, is_for_admins ? LogEntry::kOther : 4);
    EXPECT_EQ(Observe(Message(fact), Cast("2", 3)).user, LogEntry::kOther) << "of another check";
  }
}

TEST(ObservedEventTest, AnEventOfALaterVersionHasNoType) {
  v1::Event event;
  event.set_sequence(42);
  EXPECT_EQ(Observe(event, Cast("1", 1)).type, 0);
}

}  // namespace
}  // namespace wattmint::check
