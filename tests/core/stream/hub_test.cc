// SPDX-License-Identifier: Apache-2.0
#include "core/stream/hub.h"

#include "core/wire/event_codec.h"
#include "tests/support/memory_log.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::stream {
namespace {

using domain::EventFilter;
using domain::EventType;
using test::IsOk;
using test::StatusIs;
using Reach = access::EventScope::Reach;

constexpr std::size_t kMany = 1'000'000;

domain::MeterChanged Changed(const std::string& user, const std::string& meter) {
  return {.user_id = user, .meter_id = meter, .wallet_address = "w"};
}

Interest Everything() { return {{Reach::kEverything, ""}, {}}; }
Interest Own(const std::string& user) { return {{Reach::kOwn, user}, {}}; }

EventFilter ForMeter(const std::string& meter) {
  EventFilter filter;
  filter.meter_ids = {meter};
  return filter;
}

class HubTest : public testing::Test {
 protected:
  void Open(Hub::Options options = {}) {
    hub_ = std::make_unique<Hub>(log_, wire::DecodeAttributes, log_.GetBounds()->last, options);
  }

  // Into the log only, as before a start.
  std::int64_t Store(const domain::Fact& fact) {
    return log_.Append(wire::EncodePayload(domain::Time(), fact));
  }

  // Into the log, and then to the hub.
  std::int64_t Publish(const domain::Fact& fact) {
    auto payload = wire::EncodePayload(domain::Time(), fact);
    const std::int64_t sequence = log_.Append(payload);
    auto body = std::make_shared<const store::EventRecord::Body>(std::move(payload),
                                                                 domain::AttributesOf(fact));
    hub_->Publish({{sequence, std::move(body)}});
    return sequence;
  }

  std::unique_ptr<Subscription> Subscribe(Interest interest, std::int64_t after) {
    return hub_->Subscribe(std::move(interest), after, [this] { woken_.release(); });
  }

  // Reads until the head, as a sender does.
  std::vector<std::int64_t> ReadAll(Subscription& subscription) {
    std::vector<std::int64_t> sequences;
    for (;;) {
      const auto page = subscription.Next(kMany, kMany);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return sequences;
      for (const auto& event : page->events) sequences.push_back(event.sequence);
      if (page->at_head) return sequences;
    }
  }

  // Waits for events as a sender does, until `count` have come.
  std::vector<std::int64_t> Await(Subscription& subscription, std::size_t count) {
    std::vector<std::int64_t> sequences;
    while (sequences.size() < count) {
      const auto fresh = ReadAll(subscription);
      sequences.insert(sequences.end(), fresh.begin(), fresh.end());
      if (sequences.size() < count && subscription.Arm()) woken_.acquire();
    }
    return sequences;
  }

  test::MemoryLog log_;
  std::counting_semaphore<> woken_{0};
  std::unique_ptr<Hub> hub_;
};

using Sequences = std::vector<std::int64_t>;

TEST_F(HubTest, HistoryAndLiveAreOnePath) {
  Store(Changed("alice", "M1"));
  Store(Changed("bob", "M2"));
  Open();
  auto subscription = Subscribe(Everything(), 0);
  EXPECT_EQ(ReadAll(*subscription), (Sequences{1, 2}));
  Publish(Changed("alice", "M1"));
  EXPECT_EQ(Await(*subscription, 1), (Sequences{3}));
  EXPECT_EQ(subscription->position(), 3);
}

TEST_F(HubTest, StartsBehindTheSequenceThatWasSeen) {
  for (int i = 0; i < 5; ++i) Store(Changed("alice", "M1"));
  Open();
  auto subscription = Subscribe(Everything(), 3);
  EXPECT_EQ(ReadAll(*subscription), (Sequences{4, 5}));
}

TEST_F(HubTest, OnlyTheOwnerSeesTheirEvents) {
  Open();
  auto alice = Subscribe(Own("alice"), 0);
  auto viewer = Subscribe({{Reach::kPublic, ""}, {}}, 0);
  Publish(Changed("alice", "M1"));
  Publish(Changed("bob", "M2"));
  Publish(domain::BatchMintingCompleted{.batch_id = "b"});
  Publish(Changed("alice", "M3"));
  EXPECT_EQ(Await(*alice, 2), (Sequences{1, 4}));
  EXPECT_EQ(ReadAll(*viewer), Sequences{});
  EXPECT_EQ(viewer->position(), 4) << "a quiet stream still moves its cursor on";
}

TEST_F(HubTest, AFilterNeverWidensTheScope) {
  Open();
  EventFilter of_bob;
  of_bob.user_ids = {"bob"};
  auto alice = Subscribe({{Reach::kOwn, "alice"}, {of_bob, ForMeter("M2")}}, 0);
  Publish(Changed("bob", "M2"));
  EXPECT_EQ(ReadAll(*alice), Sequences{});
}

TEST_F(HubTest, FiltersAreCombinedByOr) {
  Open();
  EventFilter keys;
  keys.types = {EventType::kApiKeyChanged};
  auto admin = Subscribe({{Reach::kEverything, ""}, {ForMeter("M1"), keys}}, 0);
  Publish(Changed("alice", "M1"));
  Publish(Changed("alice", "M2"));
  Publish(domain::ApiKeyChanged{"alice", "k", false});
  EXPECT_EQ(Await(*admin, 2), (Sequences{1, 3}));
}

TEST_F(HubTest, WakesOnlyWhomTheEventConcerns) {
  Open();
  std::map<std::string, std::unique_ptr<Subscription>> quiet;
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    quiet[user] = hub_->Subscribe(Own(user), 0, [] { FAIL() << "a stranger was woken"; });
    ASSERT_TRUE(quiet[user]->Arm());
  }
  auto alice = Subscribe(Own("alice"), 0);
  Publish(Changed("alice", "M1"));
  EXPECT_EQ(Await(*alice, 1), (Sequences{1}));
}

TEST_F(HubTest, ASubscriberThatIsNotConcernedSkipsWithoutReading) {
  Open({.tail_bytes_max = 1, .scan_max = 10});
  auto bob = Subscribe(Own("bob"), 0);
  auto alice = Subscribe(Own("alice"), 0);
  EXPECT_EQ(ReadAll(*bob), Sequences{});
  for (int i = 0; i < 1'000; ++i) Publish(Changed("alice", "M1"));
  EXPECT_EQ(Await(*alice, 1'000).size(), 1'000U);  // the dispatcher is through with them
  const int reads = log_.reads();
  Publish(Changed("bob", "M2"));
  EXPECT_EQ(Await(*bob, 1), (Sequences{1'001}));
  EXPECT_LE(log_.reads(), reads + 1);
}

TEST_F(HubTest, FallsBackToTheLogWhenTheTailIsTooShort) {
  Open({.tail_bytes_max = 2'000, .scan_max = 64});
  auto slow = Subscribe(Everything(), 0);
  Sequences all;
  for (int i = 1; i <= 500; ++i) all.push_back(Publish(Changed("alice", "M" + std::to_string(i))));
  EXPECT_FALSE(slow->IsInTail());
  EXPECT_EQ(ReadAll(*slow), all);
  EXPECT_TRUE(slow->IsInTail());
}

TEST_F(HubTest, PagesAreBoundedByCountAndBytes) {
  Open();
  for (int i = 0; i < 10; ++i) Publish(Changed("alice", "M1"));
  auto subscription = Subscribe(Everything(), 0);
  auto page = subscription->Next(3, kMany);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->events.size(), 3U);
  EXPECT_EQ(page->delivered, 3);
  EXPECT_FALSE(page->at_head);
  page = subscription->Next(kMany, 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->events.size(), 1U) << "at least one, however small the bound";
  EXPECT_EQ(ReadAll(*subscription), (Sequences{5, 6, 7, 8, 9, 10}));
}

TEST_F(HubTest, PagesOfWhatWasPublishedAtOnceHaveNoGap) {
  constexpr int kEvents = 5'000;
  Open();
  std::vector<store::EventRecord> events;
  for (int i = 1; i <= kEvents; ++i) {
    const auto fact = Changed("user-" + std::to_string(i % 3), "M1");
    auto payload = wire::EncodePayload(domain::Time(), fact);
    const std::int64_t sequence = log_.Append(payload);
    events.push_back({sequence, std::make_shared<const store::EventRecord::Body>(
                                    std::move(payload), domain::AttributesOf(fact))});
  }
  hub_->Publish(std::move(events));
  auto everything = Subscribe(Everything(), 7);
  auto own = Subscribe(Own("user-0"), 7);
  const auto read = [](Subscription& subscription) {
    Sequences sequences;
    for (;;) {
      const auto page = subscription.Next(700, kMany);
      EXPECT_LE(page->events.size(), 700U);
      for (const auto& event : page->events) sequences.push_back(event.sequence);
      if (page->at_head) return sequences;
    }
  };
  const Sequences all = read(*everything);
  ASSERT_EQ(all.size(), kEvents - 7U);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<int>(i) + 8);
  const Sequences third = read(*own);
  ASSERT_EQ(third.size(), kEvents / 3 - 2U);
  for (std::size_t i = 0; i < third.size(); ++i) ASSERT_EQ(third[i], 3 * static_cast<int>(i) + 9);
}

TEST_F(HubTest, OneMatchAmongManyWakesOnceAndIsFound) {
  Open();
  EventFilter large;
  large.energy_min = domain::Energy::FromNanoKwh(5);  // an attribute that nobody is filed under
  auto subscription = Subscribe({{Reach::kEverything, ""}, {large}}, 0);
  EXPECT_EQ(ReadAll(*subscription), Sequences{});
  ASSERT_TRUE(subscription->Arm());
  for (int i = 1; i <= 20; ++i) {
    Publish(
        domain::TaskCreated{.task_id = i, .energy = domain::Energy::FromNanoKwh(i == 9 ? 5 : 1)});
  }
  woken_.acquire();
  EXPECT_EQ(Await(*subscription, 1), (Sequences{9}));
}

TEST_F(HubTest, CompactedAndBrokenLogsAreErrorsAndLeaveThePosition) {
  for (int i = 0; i < 5; ++i) Store(Changed("alice", "M1"));
  log_.CompactBefore(4);
  Open();
  auto subscription = Subscribe(Everything(), 0);
  EXPECT_THAT(subscription->Next(10, kMany), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(subscription->position(), 0);
  log_.CompactBefore(1);
  log_.Fail(absl::UnavailableError("disk"));
  EXPECT_THAT(subscription->Next(10, kMany), StatusIs(absl::StatusCode::kUnavailable));
  log_.Fail(absl::OkStatus());
  EXPECT_EQ(ReadAll(*subscription), (Sequences{1, 2, 3, 4, 5}));
}

TEST_F(HubTest, APayloadThatIsNoEventIsDataLoss) {
  log_.Append("\xff\xff");
  Open();
  auto subscription = Subscribe(Everything(), 0);
  EXPECT_THAT(subscription->Next(10, kMany), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(HubTest, AHeadBeyondTheLogIsDataLossAndNoSilence) {
  hub_ = std::make_unique<Hub>(log_, wire::DecodeAttributes, 3, Hub::Options{});
  auto subscription = Subscribe(Everything(), 0);
  EXPECT_THAT(subscription->Next(10, kMany), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(HubTest, AResetWakesEverybodyAndLosesNothing) {
  Open();
  auto idle = Subscribe(Own("alice"), 0);
  EXPECT_EQ(ReadAll(*idle), Sequences{});
  ASSERT_TRUE(idle->Arm());
  // A commit that was reported as failed is in the log all the same, unpublished.
  Store(Changed("alice", "M1"));
  Store(Changed("bob", "M2"));
  hub_->Reset(2);
  woken_.acquire();
  EXPECT_EQ(ReadAll(*idle), (Sequences{1}));
  Publish(Changed("alice", "M1"));
  EXPECT_EQ(Await(*idle, 1), (Sequences{3}));
}

TEST_F(HubTest, NobodySeesAnEventBeforeItIsPublished) {
  Store(Changed("alice", "M1"));
  Open();
  auto subscription = Subscribe(Everything(), 0);
  // Committed, and on its way to the hub.
  const auto payload = wire::EncodePayload(domain::Time(), Changed("alice", "M1"));
  log_.Append(payload);
  EXPECT_EQ(ReadAll(*subscription), (Sequences{1}));
  EXPECT_EQ(subscription->position(), hub_->head());
  hub_->Publish({{2, std::make_shared<const store::EventRecord::Body>(
                         payload, domain::AttributesOf(Changed("alice", "M1")))}});
  EXPECT_EQ(Await(*subscription, 1), (Sequences{2}));
}

TEST_F(HubTest, PublishingWhatTheResetCoveredDoesNotRepeatIt) {
  Open();
  auto subscription = Subscribe(Everything(), 0);
  const auto payload = wire::EncodePayload(domain::Time(), Changed("alice", "M1"));
  log_.Append(payload);
  hub_->Reset(1);
  EXPECT_EQ(ReadAll(*subscription), (Sequences{1}));
  hub_->Publish({{1, std::make_shared<const store::EventRecord::Body>(
                         payload, domain::AttributesOf(Changed("alice", "M1")))}});
  EXPECT_EQ(ReadAll(*subscription), Sequences{});
}

TEST_F(HubTest, NoWakeAfterTheSubscriptionEnded) {
  Open();
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_unique<int>(0);
    auto subscription = hub_->Subscribe(Everything(), hub_->head(), [&alive] { ++*alive; });
    subscription->Arm();
    Publish(Changed("alice", "M1"));
    subscription.reset();
    alive.reset();
  }
  EXPECT_EQ(hub_->subscribers_count(), 0U);
}

// The promise of the whole: every subscriber gets each matching event once and in order, while
// others publish, whatever the tail still holds.
TEST_F(HubTest, ManySubscribersMissNothingWhileEventsArePublished) {
  constexpr int kUsers = 8;
  constexpr int kEvents = 4'000;
  Open({.tail_bytes_max = 20'000, .scan_max = 50});
  std::vector<std::future<Sequences>> readers;
  for (int user = 0; user < kUsers; ++user) {
    readers.push_back(std::async(std::launch::async, [this, user] {
      std::binary_semaphore woken{0};
      const std::string user_id = "user-" + std::to_string(user);
      auto subscription = hub_->Subscribe(Own(user_id), 0, [&woken] { woken.release(); });
      Sequences got;
      while (got.size() < kEvents / kUsers) {
        const auto page = subscription->Next(7, kMany);
        EXPECT_THAT(page, IsOk());
        for (const auto& event : page->events) {
          EXPECT_EQ(event.body->attributes.user_id, user_id);
          got.push_back(event.sequence);
        }
        if (page->at_head && got.size() < kEvents / kUsers && subscription->Arm()) {
          woken.acquire();
        }
      }
      return got;
    }));
  }
  for (int i = 0; i < kEvents; ++i) Publish(Changed("user-" + std::to_string(i % kUsers), "M"));
  for (int user = 0; user < kUsers; ++user) {
    Sequences expected;
    for (int i = user; i < kEvents; i += kUsers) expected.push_back(i + 1);
    EXPECT_EQ(readers[static_cast<std::size_t>(user)].get(), expected);
  }
}

}  // namespace
}  // namespace wattmint::stream
