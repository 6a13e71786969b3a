// SPDX-License-Identifier: Apache-2.0
// Two users, each of whom must never see anything of the other, whichever way they ask.
#include "core/access/reason.h"
#include "tests/support/event_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using v1::EventService;
using v1::MeterService;
using v1::MintService;
using v1::ReadingService;

class PrivacyTest : public testing::Test {
 protected:
  void SetUp() override {
    core_.RegisterMeter("m-ada", "ada", WalletAddress(1));
    core_.RegisterMeter("m-bob", "bob@x", WalletAddress(2));
    for (int i = 0; i < 5; ++i) {
      core_.Submit(QuarterHour("m-ada", i, "1.5"));
      bobs_reading_ = core_.Submit(QuarterHour("m-bob", i, "2.5")).reading_id();
    }
    core_.Submit(QuarterHour("m-bob", 0, "9"));  // a refusal that bob alone hears of
    core_.WaitUntilMinted();
    ada_ = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
    viewer_ = core_.CreateKey("vic", {v1::ROLE_VIEWER}).credential;
  }

  // Nothing of bob's, by any name that he goes by.
  static void ExpectNothingOfBob(const google::protobuf::Message& message) {
    for (const std::string& name : {std::string("bob@x"), std::string("m-bob"), WalletAddress(2)}) {
      EXPECT_THAT(message.ShortDebugString(), Not(HasSubstr(name)));
    }
  }
  template <typename Answer>
  static void ExpectNotOwner(const absl::StatusOr<Answer>& answer) {
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_EQ(access::ReasonOf(answer.status()), access::reason::kNotOwner);
  }

  TestCore core_;
  client::Credential ada_;
  client::Credential viewer_;
  std::string bobs_reading_;
};

TEST_F(PrivacyTest, AStreamHoldsOnlyWhatIsOnesOwn) {
  EventReader reader(core_.events(), ada_, FromSequence(1));
  ASSERT_TRUE(reader.SkipTo(v1::SubscribeResponse::kCaughtUp));
  EXPECT_GE(reader.events().size(), 6u);
  for (const v1::Event& event : reader.events()) ExpectNothingOfBob(event);
}

TEST_F(PrivacyTest, ACredentialWithSeveralRolesSeesNoMoreThanItsUser) {
  const auto both = core_.CreateKey("ada", {v1::ROLE_USER, v1::ROLE_INGEST}).credential;
  for (const v1::Event& event : core_.ReadEvents(both)) ExpectNothingOfBob(event);
}

TEST_F(PrivacyTest, AFilterDoesNotWidenWhatOneSees) {
  const auto with_filter = [this](auto set) {
    v1::SubscribeRequest request = FromSequence(1);
    set(*request.mutable_filter());
    EventReader reader(core_.events(), ada_, request);
    return reader.Finish();
  };
  for (const absl::Status& status :
       {with_filter([](auto& f) { f.add_user_ids("bob@x"); }),
        with_filter([](auto& f) { f.add_meter_ids("m-bob"); }),
        with_filter([](auto& f) { f.add_meter_ids("m-none"); }),
        with_filter([](auto& f) { f.add_wallet_addresses(WalletAddress(2)); })}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_EQ(access::ReasonOf(status), access::reason::kFilterNotAllowed);
  }
}

TEST_F(PrivacyTest, PagesOfTheLogHoldOnlyWhatIsOnesOwn) {
  const auto events = core_.ReadEvents(ada_);
  EXPECT_GE(events.size(), 6u);
  for (const v1::Event& event : events) ExpectNothingOfBob(event);
}

TEST_F(PrivacyTest, NobodyReadsAsSomebodyElseButTheRelayAndTheAdmin) {
  v1::ReadEventsRequest request;
  request.set_as_user("bob@x");
  for (const auto& credential : {ada_, viewer_}) {
    EXPECT_THAT(Call(core_.events(), &EventService::Stub::ReadEvents, credential, request),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
  for (const auto& credential : {core_.relay(), core_.admin()}) {
    const auto events = core_.ReadEvents(credential, 1, "ada");
    EXPECT_EQ(events.size(), core_.ReadEvents(ada_).size());
    for (const v1::Event& event : events) ExpectNothingOfBob(event);
  }
}

TEST_F(PrivacyTest, AViewerSeesNothingThatIsNotPublic) {
  EXPECT_TRUE(core_.ReadEvents(viewer_).empty());
  core_.SendNotification("r-1", "bob@x", "for bob alone");
  const std::int64_t alert = core_.SendAlert("r-2", "for everybody");
  const auto events = core_.ReadEvents(viewer_);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sequence(), alert);
}

TEST_F(PrivacyTest, WhatOneUserIsToldNobodyElseHears) {
  core_.SendNotification("r-1", "bob@x", "for bob alone");
  const auto bob = core_.CreateKey("bob@x", {v1::ROLE_USER}).credential;
  EXPECT_TRUE(core_.ReadEvents(bob).back().has_notification());
  for (const v1::Event& event : core_.ReadEvents(ada_)) ExpectNothingOfBob(event);
  v1::SubscribeRequest request = FromSequence(1);
  request.mutable_filter()->add_types(v1::EVENT_TYPE_NOTIFICATION);
  EventReader reader(core_.events(), ada_, request);
  ASSERT_TRUE(reader.SkipTo(v1::SubscribeResponse::kCaughtUp));
  EXPECT_TRUE(reader.events().empty());
}

TEST_F(PrivacyTest, SomebodyElsesReadingLooksLikeOneThatIsNotThere) {
  v1::GetReadingRequest request;
  request.set_reading_id(bobs_reading_);
  ExpectNotOwner(Call(core_.readings(), &ReadingService::Stub::GetReading, ada_, request));
  EXPECT_THAT(Call(core_.readings(), &ReadingService::Stub::GetReading, core_.admin(), request),
              IsOk());
  request.set_reading_id(domain::ReadingId(domain::Time(), 1, 999).ToString());
  ExpectNotOwner(Call(core_.readings(), &ReadingService::Stub::GetReading, ada_, request));
  EXPECT_THAT(Call(core_.readings(), &ReadingService::Stub::GetReading, core_.admin(), request),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PrivacyTest, ListsAndSumsHoldOnlyWhatIsOnesOwn) {
  v1::ListReadingsRequest readings;
  auto listed = Call(core_.readings(), &ReadingService::Stub::ListReadings, ada_, readings);
  ASSERT_THAT(listed, IsOk());
  EXPECT_EQ(listed->readings_size(), 5);
  ExpectNothingOfBob(*listed);
  readings.set_meter_id("m-bob");
  listed = Call(core_.readings(), &ReadingService::Stub::ListReadings, ada_, readings);
  ASSERT_THAT(listed, IsOk());
  EXPECT_EQ(listed->readings_size(), 0);

  v1::GetReadingStatsRequest stats;
  auto sums = Call(core_.readings(), &ReadingService::Stub::GetReadingStats, ada_, stats);
  ASSERT_THAT(sums, IsOk());
  EXPECT_EQ(sums->total().readings(), 5);
  EXPECT_EQ(sums->total().energy_kwh(), "7.5");
  ExpectNothingOfBob(*sums);
  stats.set_meter_id("m-bob");
  sums = Call(core_.readings(), &ReadingService::Stub::GetReadingStats, ada_, stats);
  ASSERT_THAT(sums, IsOk());
  EXPECT_EQ(sums->total().readings(), 0);
}

TEST_F(PrivacyTest, SomebodyElsesMeterLooksLikeOneThatIsNotThere) {
  for (const char* meter : {"m-bob", "m-none"}) {
    v1::GetMeterRequest get;
    get.set_meter_id(meter);
    ExpectNotOwner(Call(core_.meters(), &MeterService::Stub::GetMeter, ada_, get));
    v1::SetMeterWalletRequest set;
    set.set_meter_id(meter);
    set.set_wallet_address(WalletAddress(1));
    ExpectNotOwner(Call(core_.meters(), &MeterService::Stub::SetMeterWallet, ada_, set));
  }
  v1::ListMetersRequest list;
  const auto own = Call(core_.meters(), &MeterService::Stub::ListMeters, ada_, list);
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->meters_size(), 1);
  list.set_user_id("bob@x");
  ExpectNotOwner(Call(core_.meters(), &MeterService::Stub::ListMeters, ada_, list));
}

TEST_F(PrivacyTest, SomebodyElsesMintsLookLikeThoseThatAreNotThere) {
  v1::GetMintRequest get;
  get.set_reading_id(bobs_reading_);
  ExpectNotOwner(Call(core_.mints(), &MintService::Stub::GetMint, ada_, get));
  get.clear_reading_id();
  get.set_task_id(9'999);
  ExpectNotOwner(Call(core_.mints(), &MintService::Stub::GetMint, ada_, get));
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetMint, core_.admin(), get),
              StatusIs(absl::StatusCode::kNotFound));
  const auto list = Call(core_.mints(), &MintService::Stub::ListMints, ada_, {});
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->tasks_size(), 5);
  ExpectNothingOfBob(*list);
}

TEST_F(PrivacyTest, BalancesAreOnesOwn) {
  v1::GetBalancesRequest request;
  const auto own = Call(core_.mints(), &MintService::Stub::GetBalances, ada_, request);
  ASSERT_THAT(own, IsOk());
  ASSERT_EQ(own->balances_size(), 1);
  EXPECT_EQ(own->balances(0).base_units(), 7'500'000'000);
  request.add_wallet_addresses(WalletAddress(2));
  ExpectNotOwner(Call(core_.mints(), &MintService::Stub::GetBalances, ada_, request));
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetBalances, core_.admin(), request), IsOk());
}

TEST_F(PrivacyTest, AfterATransferEachKeepsTheirOwnHistory) {
  v1::TransferMeterRequest request;
  request.set_meter_id("m-bob");
  request.set_user_id("ada");
  ASSERT_THAT(Call(core_.meters(), &MeterService::Stub::TransferMeter, core_.admin(), request),
              IsOk());
  core_.Submit(QuarterHour("m-bob", 50, "4"));
  v1::ListReadingsRequest list;
  list.set_meter_id("m-bob");
  const auto listed = Call(core_.readings(), &ReadingService::Stub::ListReadings, ada_, list);
  ASSERT_THAT(listed, IsOk());
  ASSERT_EQ(listed->readings_size(), 1);
  EXPECT_EQ(listed->readings(0).energy_kwh(), "4");
}

// Answers what came up to the end of the log, if the stream was let in.
absl::StatusOr<std::vector<v1::Event>> FollowToEnd(TestCore& core, const client::Credential& key,
                                                   const v1::SubscribeRequest& request) {
  EventReader reader(core.events(), key, request);
  if (reader.SkipTo(v1::SubscribeResponse::kCaughtUp)) return reader.events();
  return reader.Finish();
}

TEST_F(PrivacyTest, WhatWasOnesOwnStillComesAfterTheMeterWasGivenAway) {
  v1::SubscribeRequest request;
  request.mutable_filter()->add_meter_ids("m-ada");
  EventReader before(core_.events(), ada_, request);
  ASSERT_TRUE(before.SkipTo(v1::SubscribeResponse::kCaughtUp));
  const std::string reading_id = core_.Submit(QuarterHour("m-ada", 50, "4")).reading_id();
  core_.WaitUntilMinted();
  v1::TransferMeterRequest transfer;
  transfer.set_meter_id("m-ada");
  transfer.set_user_id("bob@x");
  ASSERT_THAT(Call(core_.meters(), &MeterService::Stub::TransferMeter, core_.admin(), transfer),
              IsOk());
  core_.Submit(QuarterHour("m-ada", 51, "5"));

  // Who was let in goes on by the cursor; who names it anew is refused.
  request.set_cursor(before.cursor());
  const auto resumed = FollowToEnd(core_, ada_, request);
  ASSERT_THAT(resumed, IsOk());
  ASSERT_FALSE(resumed->empty());
  EXPECT_EQ(resumed->front().meter_reading_received().reading_id(), reading_id);
  for (const v1::Event& event : *resumed) ExpectNothingOfBob(event);
  request.set_position(v1::START_POSITION_OLDEST);
  const auto anew = FollowToEnd(core_, ada_, request);
  EXPECT_EQ(access::ReasonOf(anew.status()), access::reason::kFilterNotAllowed);
  // The cursor lets in nothing but its own filter.
  request.set_cursor(before.cursor());
  request.mutable_filter()->add_meter_ids("m-bob");
  const auto other = FollowToEnd(core_, ada_, request);
  EXPECT_EQ(access::ReasonOf(other.status()), "FILTER_CHANGED");

  // A bridge asks for its users, whom it has let in.
  v1::ReadEventsRequest page;
  page.set_as_user("ada");
  page.mutable_filter()->add_meter_ids("m-ada");
  const auto read = Call(core_.events(), &EventService::Stub::ReadEvents, core_.relay(), page);
  ASSERT_THAT(read, IsOk());
  EXPECT_GT(read->events_size(), static_cast<int>(resumed->size()));
  ExpectNothingOfBob(*read);
}

}  // namespace
}  // namespace wattmint::test
