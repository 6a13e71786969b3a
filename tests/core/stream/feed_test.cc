// SPDX-License-Identifier: Apache-2.0
#include "core/stream/feed.h"

#include "core/access/reason.h"
#include "core/wire/event_codec.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"
#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::stream {
namespace {

using access::Role;
using test::IsOk;
using test::StatusIs;

class FeedTest : public testing::Test {
 protected:
  explicit FeedTest(std::size_t tail_bytes_max = 1 << 20) {
    Hub::Options options;
    options.tail_bytes_max = tail_bytes_max;
    hub_ = std::make_unique<Hub>(log_, wire::DecodeAttributes, 0, options);
  }

  void Publish(const std::string& user, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const domain::Fact fact =
          domain::MeterChanged{.user_id = user, .meter_id = "m-" + user, .wallet_address = "w"};
      auto payload = wire::EncodePayload(clock_.Now(), fact);
      const std::int64_t sequence = log_.Append(payload);
      auto body = std::make_shared<const store::EventRecord::Body>(std::move(payload),
                                                                   domain::AttributesOf(fact));
      hub_->Publish({{sequence, std::move(body)}});
    }
  }

  static FeedRequest From(std::int64_t sequence, Role role = Role::kAdmin,
                          const std::string& user = "root") {
    FeedRequest request = Now(role, user);
    request.start = FromSequence{sequence};
    return request;
  }
  static FeedRequest Now(Role role = Role::kAdmin, const std::string& user = "root") {
    FeedRequest request;
    request.principal.user_id = user;
    request.principal.roles = {role};
    return request;
  }
  static FeedRequest Behind(const std::string& cursor, std::int64_t last_sequence = 0) {
    FeedRequest request = Now();
    request.start = FromCursor{cursor, last_sequence};
    return request;
  }

  absl::StatusOr<std::unique_ptr<Feed>> TryOpen(FeedRequest request) {
    return Feed::Open({log_, *hub_, signer_, authenticator_, clock_}, options_, std::move(request),
                      [this] { woken_.release(); });
  }
  std::unique_ptr<Feed> Open(FeedRequest request) {
    auto feed = TryOpen(std::move(request));
    EXPECT_THAT(feed, IsOk());
    return feed.ok() ? *std::move(feed) : nullptr;
  }

  // The next thing that is said; waits for events, but not for time.
  static Feed::Step Say(Feed& feed) {
    for (;;) {
      Feed::Step step = feed.Next();
      if (!std::holds_alternative<Feed::Again>(step)) return step;
    }
  }
  template <typename Message>
  static Message Expect(Feed& feed) {
    const Feed::Step step = Say(feed);
    const auto* message = std::get_if<Feed::Message>(&step);
    EXPECT_NE(message, nullptr) << "step " << step.index();
    if (message == nullptr) return {};
    const auto* wanted = std::get_if<Message>(message);
    EXPECT_NE(wanted, nullptr) << "message " << message->index();
    return wanted == nullptr ? Message{} : *wanted;
  }
  static void ExpectSilence(Feed& feed) {
    const Feed::Step step = Say(feed);
    EXPECT_TRUE(std::holds_alternative<Feed::Wait>(step)) << "step " << step.index();
  }
  static absl::Status ExpectEnd(Feed& feed) {
    const Feed::Step step = Say(feed);
    const auto* end = std::get_if<Feed::End>(&step);
    EXPECT_NE(end, nullptr) << "step " << step.index();
    return end == nullptr ? absl::OkStatus() : end->why;
  }
  static std::vector<std::int64_t> SequencesOf(const Feed::Events& events) {
    std::vector<std::int64_t> sequences;
    for (const auto& event : events.events) sequences.push_back(event.sequence);
    return sequences;
  }

  using Sequences = std::vector<std::int64_t>;

  test::MemoryLog log_;
  test::FakeClock clock_;
  test::SeededRandom random_{1};
  access::ApiKeyTable keys_{clock_};
  access::TicketTable tickets_{{}, clock_, random_};
  access::Authenticator authenticator_{nullptr, keys_, tickets_, clock_,
                                       access::Anonymity::kRefused};
  CursorSigner signer_{CursorSigner::Key{}};
  FeedOptions options_;
  std::counting_semaphore<> woken_{0};
  std::unique_ptr<Hub> hub_;
};

class SmallTailFeedTest : public FeedTest {
 protected:
  SmallTailFeedTest() : FeedTest(2'000) {}
};

TEST_F(FeedTest, FirstSaysWhereItBegins) {
  Publish("ada", 3);
  auto feed = Open(Now());
  const auto established = Expect<Feed::Established>(*feed);
  EXPECT_EQ(established.epoch, "epoch-1");
  EXPECT_EQ(established.head, 3);
  EXPECT_FALSE(established.cursor.empty());
}

TEST_F(FeedTest, WithoutHistoryItHasCaughtUpAtOnce) {
  Publish("ada", 3);
  auto feed = Open(Now());
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  ExpectSilence(*feed);
}

TEST_F(FeedTest, HistoryComesBeforeCaughtUpAndLiveBehindIt) {
  Publish("ada", 3);
  auto feed = Open(From(2));
  Expect<Feed::Established>(*feed);
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*feed)), (Sequences{2, 3}));
  Expect<Feed::CaughtUp>(*feed);
  ExpectSilence(*feed);
  Publish("ada");
  woken_.acquire();
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*feed)), (Sequences{4}));
  ExpectSilence(*feed);
}

TEST_F(FeedTest, ALargeHistoryComesInBoundedBatches) {
  options_.batch_events_max = 10;
  Publish("ada", 35);
  auto feed = Open(From(1));
  Expect<Feed::Established>(*feed);
  Sequences all;
  for (int i = 0; i < 4; ++i) {
    const Sequences batch = SequencesOf(Expect<Feed::Events>(*feed));
    EXPECT_LE(batch.size(), 10u);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  EXPECT_EQ(all.size(), 35u);
  EXPECT_EQ(all.back(), 35);
  Expect<Feed::CaughtUp>(*feed);
}

TEST_F(FeedTest, AUserSeesOnlyWhatConcernsThem) {
  Publish("ada");
  Publish("bob");
  Publish("ada");
  auto feed = Open(From(1, Role::kUser, "ada"));
  Expect<Feed::Established>(*feed);
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*feed)), (Sequences{1, 3}));
}

TEST_F(FeedTest, AQuietStreamAdvancesItsCursor) {
  auto feed = Open(From(1, Role::kUser, "ada"));
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  ExpectSilence(*feed);
  Publish("bob", 7);
  clock_.Advance(options_.heartbeat);
  const auto heartbeat = Expect<Feed::Heartbeat>(*feed);
  EXPECT_EQ(heartbeat.head, 7);
  EXPECT_EQ(heartbeat.delivered, 7);
  EXPECT_EQ(signer_.Decode(heartbeat.cursor)->sequence, 7);
  ExpectSilence(*feed);
}

TEST_F(FeedTest, ABusyStreamHasHeartbeatsToo) {
  auto feed = Open(Now());
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  clock_.Advance(options_.heartbeat);
  Publish("ada");
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*feed)), (Sequences{1}));
  EXPECT_EQ(Expect<Feed::Heartbeat>(*feed).delivered, 1);
}

TEST_F(FeedTest, ItIsDueAtTheNextHeartbeat) {
  auto feed = Open(Now());
  EXPECT_EQ(feed->due(), clock_.Steady() + options_.heartbeat);
}

TEST_F(FeedTest, ACredentialForEverIsNoReasonToLookAgain) {
  FeedRequest request = Now();
  request.principal.expires_at = base::Time(std::chrono::seconds(253'402'300'799));  // year 9999
  auto feed = Open(request);
  EXPECT_EQ(feed->due(), clock_.Steady() + options_.heartbeat);
}

TEST_F(FeedTest, ACursorGoesOnWithTheRest) {
  Publish("ada", 5);
  auto first = Open(From(4));
  const std::string cursor = Expect<Feed::Established>(*first).cursor;
  auto second = Open(Behind(cursor));
  Expect<Feed::Established>(*second);
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*second)), (Sequences{4, 5}));
}

TEST_F(FeedTest, TheLastSequenceSeenCountsIfItIsLater) {
  Publish("ada", 5);
  auto first = Open(From(1));
  const std::string cursor = Expect<Feed::Established>(*first).cursor;
  auto second = Open(Behind(cursor, 4));
  Expect<Feed::Established>(*second);
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*second)), (Sequences{5}));
}

TEST_F(FeedTest, ACursorOfAnotherFilterIsRefusedByName) {
  auto first = Open(Now());
  FeedRequest request = Behind(Expect<Feed::Established>(*first).cursor);
  request.filters.push_back({.meter_ids = {"m-1"}});
  const auto feed = TryOpen(request);
  EXPECT_THAT(feed, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(access::ReasonOf(feed.status()), "FILTER_CHANGED");
}

TEST_F(FeedTest, ACursorOfAnotherUserIsRefusedByName) {
  auto first = Open(Now(Role::kUser, "ada"));
  FeedRequest request = Now(Role::kUser, "bob");
  request.start = FromCursor{Expect<Feed::Established>(*first).cursor};
  const auto feed = TryOpen(request);
  EXPECT_EQ(access::ReasonOf(feed.status()), "SCOPE_CHANGED");
}

TEST_F(FeedTest, ACursorOfAnotherLogIsRefusedByName) {
  const std::string foreign =
      signer_.Encode({.epoch = "epoch-0", .sequence = 0, .filter_hash = 0, .scope = "all"});
  const auto feed = TryOpen(Behind(foreign));
  EXPECT_EQ(access::ReasonOf(feed.status()), "EPOCH_CHANGED");
}

TEST_F(FeedTest, TextThatIsNoCursorIsRefusedByName) {
  const auto feed = TryOpen(Behind("bm90IGEgY3Vyc29y"));
  EXPECT_THAT(feed, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(access::ReasonOf(feed.status()), "CURSOR_INVALID");
}

TEST_F(FeedTest, AStartBehindTheEndIsRefusedByName) {
  Publish("ada", 2);
  EXPECT_THAT(TryOpen(From(3)), IsOk());
  const auto feed = TryOpen(From(4));
  EXPECT_THAT(feed, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(access::ReasonOf(feed.status()), "START_IN_FUTURE");
}

TEST_F(FeedTest, ALastSequenceBehindTheEndIsRefusedByName) {
  auto first = Open(Now());
  const auto feed = TryOpen(Behind(Expect<Feed::Established>(*first).cursor, 99));
  EXPECT_EQ(access::ReasonOf(feed.status()), "START_IN_FUTURE");
}

TEST_F(FeedTest, ACompactedStartIsRefusedWithTheOldestSequence) {
  Publish("ada", 9);
  log_.CompactBefore(5);
  EXPECT_THAT(TryOpen(From(5)), IsOk());
  const auto feed = TryOpen(From(4));
  EXPECT_THAT(feed, StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(access::ReasonOf(feed.status()), "COMPACTED");
  EXPECT_EQ(access::DetailsOf(feed.status()).at("oldest_sequence"), "5");
}

TEST_F(FeedTest, DrainingSaysWhenToComeBackAndEnds) {
  Publish("ada", 2);
  auto feed = Open(Now());
  Expect<Feed::Established>(*feed);
  feed->Drain(std::chrono::milliseconds(250));
  const auto draining = Expect<Feed::Draining>(*feed);
  EXPECT_EQ(draining.reconnect_after, std::chrono::milliseconds(250));
  EXPECT_EQ(signer_.Decode(draining.cursor)->sequence, 2);
  const absl::Status why = ExpectEnd(*feed);
  EXPECT_THAT(why, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(why), "DRAINING");
}

TEST_F(FeedTest, ACredentialEndsAfterAWarning) {
  FeedRequest request = Now();
  request.principal.expires_at = clock_.Now() + std::chrono::seconds(90);
  auto feed = Open(request);
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  ExpectSilence(*feed);
  options_.heartbeat = std::chrono::hours(1);
  EXPECT_EQ(feed->due(), clock_.Steady() + std::chrono::seconds(15));
  clock_.Advance(std::chrono::seconds(30));
  EXPECT_EQ(Expect<Feed::CredentialExpiring>(*feed).expire_time,
            clock_.Now() + std::chrono::seconds(60));
  Expect<Feed::Heartbeat>(*feed);
  ExpectSilence(*feed);
  clock_.Advance(std::chrono::seconds(60));
  const absl::Status why = ExpectEnd(*feed);
  EXPECT_THAT(why, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(access::ReasonOf(why), access::reason::kExpiredToken);
}

TEST_F(FeedTest, ARevokedKeyEndsItWhenItIsAskedAgain) {
  store::ApiKeyRecord key;
  key.key_id = "abcdefgh";
  key.user_id = "root";
  keys_.Put(key);
  FeedRequest request = Now();
  request.principal.credential = access::CredentialKind::kApiKey;
  request.principal.key_id = key.key_id;
  auto feed = Open(request);
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  feed->RecheckCredential();
  ExpectSilence(*feed);
  key.revoke_time = clock_.Now();
  keys_.Put(key);
  feed->RecheckCredential();
  EXPECT_EQ(access::ReasonOf(ExpectEnd(*feed)), access::reason::kRevokedApiKey);
}

TEST_F(FeedTest, TroubleWithTheLogEndsIt) {
  Publish("ada", 1);
  hub_->Reset(1);
  auto feed = Open(From(1));
  Expect<Feed::Established>(*feed);
  log_.Fail(base::Unavailable("the disk is gone"));
  EXPECT_THAT(ExpectEnd(*feed), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SmallTailFeedTest, ASlowReaderFallsBehindAndCatchesUpWithoutLoss) {
  options_.batch_events_max = 50;
  auto feed = Open(Now());
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  Publish("ada", 300);
  Sequences all;
  int fell_behind = 0;
  for (bool caught_up = false; !caught_up;) {
    const Feed::Step step = Say(*feed);
    const auto* message = std::get_if<Feed::Message>(&step);
    ASSERT_NE(message, nullptr);
    if (const auto* events = std::get_if<Feed::Events>(message)) {
      for (const std::int64_t sequence : SequencesOf(*events)) all.push_back(sequence);
    }
    fell_behind += std::holds_alternative<Feed::FellBehind>(*message) ? 1 : 0;
    caught_up = std::holds_alternative<Feed::CaughtUp>(*message);
  }
  EXPECT_EQ(fell_behind, 1);
  ASSERT_EQ(all.size(), 300u);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i) + 1);
}

TEST_F(SmallTailFeedTest, WhoIsNotConcernedDoesNotFallBehind) {
  auto feed = Open(Now(Role::kUser, "bob"));
  Expect<Feed::Established>(*feed);
  Expect<Feed::CaughtUp>(*feed);
  ExpectSilence(*feed);
  Publish("ada", 300);
  Publish("bob", 1);
  woken_.acquire();
  EXPECT_EQ(SequencesOf(Expect<Feed::Events>(*feed)), (Sequences{301}));
  ExpectSilence(*feed);
}

}  // namespace
}  // namespace wattmint::stream
