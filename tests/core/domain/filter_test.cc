// SPDX-License-Identifier: Apache-2.0
#include "core/domain/filter.h"

#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace wattmint::domain {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;
using Audience = EventAttributes::Audience;

constexpr char kWallet[] = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9";

TokensMinted Minted() {
  return {.user_id = "alice",
          .wallet_address = kWallet,
          .meter_id = "M1",
          .energy = Energy::FromNanoKwh(2'500'000'000),
          .tokens = TokenAmount::FromBaseUnits(2'500'000'000),
          .transaction_signature = "sig",
          .reading_id = ReadingId(Time(), 0, 17),
          .task_id = 17,
          .batch_id = "b-1",
          .interval_start = Time()};
}

EventFilter Normalized(EventFilter filter) {
  EXPECT_THAT(filter.Normalize(), IsOk());
  return filter;
}

bool Lets(const EventFilter& filter, const Fact& fact) {
  return Normalized(filter).Matches(AttributesOf(fact));
}

TEST(EventTypeTest, ReadsEverySpellingInUse) {
  for (const char* text :
       {"TokensMinted", "tokens_minted", "TOKENS_MINTED", "EVENT_TYPE_TOKENS_MINTED"}) {
    EXPECT_EQ(ParseEventType(text), EventType::kTokensMinted) << text;
  }
  EXPECT_EQ(ParseEventType("TokenMinted"), std::nullopt);
  EXPECT_EQ(ParseEventType(""), std::nullopt);
}

TEST(EventTypeTest, EveryTypeIsReadFromItsName) {
  for (int number = kEventTypeMin; number <= kEventTypeMax; ++number) {
    const auto type = static_cast<EventType>(number);
    EXPECT_EQ(ParseEventType(Name(type)), type);
  }
  EXPECT_EQ(Name(static_cast<EventType>(kEventTypeMax + 1)), "Unknown");
  EXPECT_EQ(Name(static_cast<EventType>(0)), "Unknown");
}

TEST(AttributesTest, AreThoseThatTheFactHas) {
  const EventAttributes minted = AttributesOf(Minted());
  EXPECT_EQ(minted.type, EventType::kTokensMinted);
  EXPECT_EQ(minted.user_id, "alice");
  EXPECT_EQ(minted.task_id, 17);
  EXPECT_EQ(minted.energy, Energy::FromNanoKwh(2'500'000'000));
  EXPECT_EQ(minted.audience, Audience::kOwner);
  const EventAttributes changed =
      AttributesOf(TaskStatusChanged{.new_state = MintState::kParked, .reason = {}});
  EXPECT_EQ(changed.mint_state, MintState::kParked);
  EXPECT_FALSE(changed.energy);
}

TEST(AttributesTest, ChangesOfAReadingAreForItsOwner) {
  ReadingCorrected corrected;
  corrected.user_id = "alice";
  corrected.task_id = 17;
  corrected.energy = Energy::FromNanoKwh(5);
  corrected.old_energy = Energy::FromNanoKwh(6);
  const EventAttributes attributes = AttributesOf(corrected);
  EXPECT_EQ(attributes.type, EventType::kReadingCorrected);
  EXPECT_EQ(attributes.user_id, "alice");
  EXPECT_EQ(attributes.task_id, 17);
  EXPECT_EQ(attributes.energy, Energy::FromNanoKwh(5)) << "what it says now";
  EXPECT_EQ(attributes.audience, Audience::kOwner);
  EXPECT_EQ(AttributesOf(ReadingWithdrawn{}).audience, Audience::kOwner);
}

TEST(AttributesTest, BatchesKeysAndSwitchesAreForAdmins) {
  EXPECT_EQ(AttributesOf(BatchMintingCompleted{}).audience, Audience::kAdmin);
  EXPECT_EQ(AttributesOf(ApiKeyChanged{}).audience, Audience::kAdmin);
  EXPECT_EQ(AttributesOf(MintingSwitched{}).audience, Audience::kAdmin);
  EXPECT_EQ(AttributesOf(MeterChanged{}).audience, Audience::kOwner);
}

TEST(AttributesTest, AlertsAreForEverybodyAndNotificationsForOneUser) {
  const EventAttributes alert =
      AttributesOf(SystemAlert{"maintenance", Severity::kInfo, "at 18:00"});
  EXPECT_EQ(alert.type, EventType::kSystemAlert);
  EXPECT_EQ(alert.audience, Audience::kPublic);
  EXPECT_EQ(alert.user_id, "");
  const EventAttributes notification =
      AttributesOf(Notification{"alice", Severity::kInfo, "hello"});
  EXPECT_EQ(notification.type, EventType::kNotification);
  EXPECT_EQ(notification.audience, Audience::kOwner);
  EXPECT_EQ(notification.user_id, "alice");
}

TEST(EventFilterTest, EmptyLetsEverythingThrough) {
  EXPECT_TRUE(EventFilter{}.IsEmpty());
  EXPECT_TRUE(Lets({}, Minted()));
  EXPECT_TRUE(Lets({}, BatchMintingCompleted{}));
}

TEST(EventFilterTest, FieldsAreCombinedByAndValuesByOr) {
  EventFilter filter;
  filter.types = {EventType::kTokensMinted, EventType::kTaskCreated};
  filter.meter_ids = {"M2", "M1"};
  EXPECT_TRUE(Lets(filter, Minted()));
  filter.user_ids = {"bob"};
  EXPECT_FALSE(Lets(filter, Minted()));
}

TEST(EventFilterTest, AnAttributeThatIsMissingDoesNotMatch) {
  EventFilter by_meter;
  by_meter.meter_ids = {"M1"};
  EXPECT_FALSE(Lets(by_meter, BatchMintingCompleted{.batch_id = "b-1"}));
  EventFilter by_energy;
  by_energy.energy_min = Energy();
  EXPECT_FALSE(Lets(by_energy, TaskStatusChanged{}));
  EventFilter by_state;
  by_state.mint_states = {MintState::kPending};
  EXPECT_FALSE(Lets(by_state, Minted()));
}

TEST(EventFilterTest, EnergyBoundsAreIncluded) {
  EventFilter filter;
  filter.energy_min = filter.energy_max = Energy::FromNanoKwh(2'500'000'000);
  EXPECT_TRUE(Lets(filter, Minted()));
  filter.energy_max = Energy::FromNanoKwh(9'000'000'000);
  filter.energy_min = Energy::FromNanoKwh(2'500'000'001);
  EXPECT_FALSE(Lets(filter, Minted()));
  filter.energy_min.reset();
  filter.energy_max = Energy::FromNanoKwh(2'499'999'999);
  EXPECT_FALSE(Lets(filter, Minted()));
}

TEST(EventFilterTest, EachFieldFilters) {
  const std::vector<std::pair<const char*, std::function<void(EventFilter&)>>> misses = {
      {"type", [](EventFilter& f) { f.types = {EventType::kTaskCreated}; }},
      {"meter", [](EventFilter& f) { f.meter_ids = {"M9"}; }},
      {"user", [](EventFilter& f) { f.user_ids = {"bob"}; }},
      {"wallet", [](EventFilter& f) { f.wallet_addresses = {"11111111111111111111111111111111"}; }},
      {"batch", [](EventFilter& f) { f.batch_ids = {"b-2"}; }},
      {"task", [](EventFilter& f) { f.task_ids = {18}; }},
  };
  for (const auto& [name, miss] : misses) {
    EventFilter filter;
    miss(filter);
    EXPECT_FALSE(Lets(filter, Minted())) << name;
  }
}

TEST(EventFilterTest, NamesEveryFieldThatExcludes) {
  const EventAttributes event = AttributesOf(Minted());
  EXPECT_TRUE(EventFilter{}.ExcludedBy(event).empty());
  const EventFilter all = Normalized({.types = {EventType::kTaskCreated},
                                      .meter_ids = {"M2"},
                                      .user_ids = {"bob"},
                                      .wallet_addresses = {"11111111111111111111111111111112"},
                                      .batch_ids = {"b-2"},
                                      .task_ids = {18},
                                      .mint_states = {MintState::kConfirmed},
                                      .energy_min = Energy::FromNanoKwh(3'000'000'000),
                                      .energy_max = Energy::FromNanoKwh(4'000'000'000)});
  EXPECT_THAT(all.ExcludedBy(event),
              testing::ElementsAre("types", "meter_ids", "user_ids", "wallet_addresses",
                                   "batch_ids", "task_ids", "mint_states", "min_energy_kwh"));
  EXPECT_FALSE(all.Matches(event));
  const EventFilter one = Normalized({.meter_ids = {"M1", "M3"}, .task_ids = {16}});
  EXPECT_THAT(one.ExcludedBy(event), testing::ElementsAre("task_ids"));
}

TEST(EventFilterTest, OrderAndRepetitionDoNotMatterToTheHash) {
  EventFilter a;
  a.meter_ids = {"M2", "M1", "M2"};
  EventFilter b;
  b.meter_ids = {"M1", "M2"};
  EXPECT_EQ(Normalized(a), Normalized(b));
  EXPECT_EQ(Normalized(a).Hash(), Normalized(b).Hash());
}

TEST(EventFilterTest, DifferentFiltersHashDifferently) {
  std::set<std::uint64_t> hashes;
  const std::vector<std::function<void(EventFilter&)>> changes = {
      [](EventFilter&) {},
      [](EventFilter& f) { f.meter_ids = {"M1"}; },
      [](EventFilter& f) { f.user_ids = {"M1"}; },
      [](EventFilter& f) {
        f.meter_ids = {"M", "1"};
      },
      [](EventFilter& f) { f.types = {EventType::kTokensMinted}; },
      [](EventFilter& f) { f.task_ids = {12}; },
      [](EventFilter& f) { f.mint_states = {MintState::kParked}; },
      [](EventFilter& f) { f.energy_min = Energy(); },
      [](EventFilter& f) { f.energy_max = Energy(); },
  };
  for (const auto& change : changes) {
    EventFilter filter;
    change(filter);
    EXPECT_TRUE(hashes.insert(Normalized(filter).Hash()).second);
  }
}

TEST(EventFilterTest, HashIsStableSinceItGoesIntoCursors) {
  EventFilter filter;
  filter.types = {EventType::kTokensMinted};
  filter.meter_ids = {"FONT-01"};
  EXPECT_EQ(Normalized(filter).Hash(), 2106946224178872361ULL);
}

TEST(EventFilterTest, RefusesWhatIsNoIdOrTooMuch) {
  const std::vector<std::pair<std::string, std::function<void(EventFilter&)>>> refused = {
      {"meter_ids", [](EventFilter& f) { f.meter_ids = {"a b"}; }},
      {"user_ids", [](EventFilter& f) { f.user_ids = {""}; }},
      {"wallet_addresses", [](EventFilter& f) { f.wallet_addresses = {"nope"}; }},
      {"batch_ids", [](EventFilter& f) { f.batch_ids.assign(101, "b"); }},
      {"task_ids", [](EventFilter& f) { f.task_ids.assign(1'001, 1); }},
      {"task_ids",
       [](EventFilter& f) {
         f.task_ids = {7, 0};
       }},
      {"types", [](EventFilter& f) { f.types.assign(33, EventType::kTokensMinted); }},
      {"mint_states", [](EventFilter& f) { f.mint_states.assign(33, MintState::kParked); }},
      {"meter_ids", [](EventFilter& f) { f.meter_ids.assign(1'001, "M"); }},
      {"above the highest",
       [](EventFilter& f) {
         f.energy_min = Energy::FromNanoKwh(2);
         f.energy_max = Energy::FromNanoKwh(1);
       }},
  };
  for (const auto& [said, change] : refused) {
    EventFilter filter;
    change(filter);
    EXPECT_THAT(filter.Normalize(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(said)));
  }
}

// A message with half a character in it could not be sent beside its details.
TEST(EventFilterTest, ARefusalDoesNotRepeatWhatItRefuses) {
  EventFilter filter;
  filter.meter_ids = {"M1", std::string(63, 'M') + "\u00e9"};
  EXPECT_THAT(filter.Normalize(),
              StatusIs(absl::StatusCode::kInvalidArgument, "filter: meter_ids[1] is not valid"));
}

}  // namespace
}  // namespace wattmint::domain
