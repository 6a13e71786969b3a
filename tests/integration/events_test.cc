// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "tests/support/event_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using Message = v1::SubscribeResponse;
using testing::HasSubstr;

class EventsTest : public testing::Test {
 protected:
  static rpc::CoreOptions Options() {
    rpc::CoreOptions options = TestCore::Defaults();
    options.mints.automatic = false;
    options.feeds.heartbeat = std::chrono::milliseconds(300);
    options.streams.streams_max = 150;
    return options;
  }

  void SetUp() override { core_.RegisterMeter("m-1", "ada", WalletAddress(1)); }

  // Submits readings number `first` to `last`, each of which makes two events.
  void Submit(int first, int last) {
    std::vector<v1::ReadingInput> readings;
    for (int i = first; i <= last; ++i) readings.push_back(QuarterHour("m-1", i, "1"));
    for (const auto& result : core_.SubmitAll(readings)) {
      ASSERT_EQ(result.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED) << result.ShortDebugString();
    }
  }

  std::unique_ptr<EventReader> Subscribe(const v1::SubscribeRequest& request) {
    return Subscribe(core_.admin(), request);
  }
  std::unique_ptr<EventReader> Subscribe(const client::Credential& credential,
                                         const v1::SubscribeRequest& request) {
    return std::make_unique<EventReader>(core_.events(), credential, request);
  }
  absl::Status Refusal(const client::Credential& credential, const v1::SubscribeRequest& request) {
    const auto reader = Subscribe(credential, request);
    EXPECT_EQ(reader->Next(), std::nullopt);
    return reader->Finish();
  }

  static void ExpectContiguous(const std::vector<v1::Event>& events, std::int64_t first) {
    for (const v1::Event& event : events) ASSERT_EQ(event.sequence(), first++);
  }

  TestCore core_{Options()};
};

TEST_F(EventsTest, EstablishedComesFirstAndTellsTheTerms) {
  v1::SubscribeRequest request;
  request.mutable_filter()->add_meter_ids("m-2");
  request.mutable_filter()->add_meter_ids("m-1");
  const auto reader = Subscribe(request);
  const auto message = reader->Next();
  ASSERT_TRUE(message && message->has_established());
  EXPECT_EQ(message->established().head_sequence(), 1);
  EXPECT_EQ(message->established().epoch().size(), 36u);
  EXPECT_EQ(message->established().filter().meter_ids(0), "m-1");
  EXPECT_GT(message->established().max_batch_events(), 0);
}

TEST_F(EventsTest, HistoryAndLiveAreOneStreamWithoutAGap) {
  Submit(0, 9);
  const auto reader = Subscribe(FromSequence(1));
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  EXPECT_EQ(reader->events().size(), 21u);
  Submit(10, 19);
  ExpectContiguous(reader->ReadEvents(41), 1);
  EXPECT_EQ(reader->events().size(), 41u);
}

TEST_F(EventsTest, WithoutAStartOnlyNewsComes) {
  Submit(0, 4);
  const auto reader = Subscribe({});
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  EXPECT_TRUE(reader->events().empty());
  Submit(5, 5);
  ExpectContiguous(reader->ReadEvents(2), 12);
}

TEST_F(EventsTest, AFilterLetsOnlyWhatItNamesThrough) {
  core_.RegisterMeter("m-2", "bob");
  Submit(0, 3);
  core_.Submit(QuarterHour("m-2", 0, "2"));
  v1::SubscribeRequest request = FromSequence(1);
  request.mutable_filter()->add_meter_ids("m-2");
  request.mutable_filter()->add_types(v1::EVENT_TYPE_METER_READING_RECEIVED);
  const auto reader = Subscribe(request);
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  ASSERT_EQ(reader->events().size(), 1u);
  EXPECT_EQ(reader->events()[0].meter_reading_received().meter_id(), "m-2");
}

TEST_F(EventsTest, HeartbeatsAdvanceAQuietStream) {
  v1::SubscribeRequest request;
  request.mutable_filter()->add_meter_ids("m-none");
  const auto reader = Subscribe(request);
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  Submit(0, 4);
  for (;;) {
    const auto beat = reader->SkipTo(Message::kHeartbeat);
    ASSERT_TRUE(beat);
    if (beat->heartbeat().delivered_sequence() == 11) break;
  }
  v1::SubscribeRequest again = request;
  again.set_cursor(reader->cursor());
  const auto resumed = Subscribe(again);
  EXPECT_TRUE(resumed->SkipTo(Message::kCaughtUp));
}

TEST_F(EventsTest, ACursorGoesOnWithExactlyTheRest) {
  Submit(0, 9);
  const auto first = Subscribe(FromSequence(1));
  ASSERT_TRUE(first->SkipTo(Message::kCaughtUp));
  Submit(10, 14);
  v1::SubscribeRequest request;
  request.set_cursor(first->cursor());
  const auto second = Subscribe(request);
  ASSERT_TRUE(second->SkipTo(Message::kCaughtUp));
  ExpectContiguous(second->events(), 22);
  EXPECT_EQ(second->events().size(), 10u);
  request.set_last_sequence(25);
  const auto third = Subscribe(request);
  ASSERT_TRUE(third->SkipTo(Message::kCaughtUp));
  ExpectContiguous(third->events(), 26);
}

TEST_F(EventsTest, ACursorIsGoodAfterARestart) {
  Submit(0, 4);
  const auto first = Subscribe(FromSequence(1));
  ASSERT_TRUE(first->SkipTo(Message::kCaughtUp));
  const std::string cursor = first->cursor();
  core_.Restart();
  Submit(5, 6);
  v1::SubscribeRequest request;
  request.set_cursor(cursor);
  const auto second = Subscribe(request);
  ASSERT_TRUE(second->SkipTo(Message::kCaughtUp));
  ExpectContiguous(second->events(), 12);
  EXPECT_EQ(second->events().size(), 4u);
}

TEST_F(EventsTest, BadStartsAreRefusedByName) {
  const auto first = Subscribe({});
  ASSERT_TRUE(first->SkipTo(Message::kCaughtUp));

  v1::SubscribeRequest request;
  request.set_cursor("rubbish");
  EXPECT_EQ(access::ReasonOf(Refusal(core_.admin(), request)), "CURSOR_INVALID");
  request.set_cursor("");
  EXPECT_THAT(Refusal(core_.admin(), request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_cursor(first->cursor());
  request.mutable_filter()->add_meter_ids("m-1");
  EXPECT_EQ(access::ReasonOf(Refusal(core_.admin(), request)), "FILTER_CHANGED");
  request.clear_filter();
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  EXPECT_EQ(access::ReasonOf(Refusal(ada, request)), "SCOPE_CHANGED");
  TestCore other(Options());
  EventReader foreign(other.events(), other.admin(), request);
  EXPECT_EQ(access::ReasonOf(foreign.Finish()), "EPOCH_CHANGED");
  EXPECT_EQ(access::ReasonOf(Refusal(core_.admin(), FromSequence(99))), "START_IN_FUTURE");
  EXPECT_THAT(Refusal(core_.admin(), FromSequence(0)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request = {};
  request.mutable_filter()->set_min_energy_kwh("much");
  EXPECT_THAT(Refusal(core_.admin(), request), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(EventsTest, WithoutACredentialThereIsNoStream) {
  EXPECT_THAT(Refusal({}, {}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(EventsTest, ARevokedKeyEndsItsStreamsWithinASecond) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  const auto reader = Subscribe(key.credential, {});
  const auto bystander = Subscribe(core_.CreateKey("ada", {v1::ROLE_USER}).credential, {});
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  ASSERT_TRUE(bystander->SkipTo(Message::kCaughtUp));
  v1::RevokeApiKeyRequest request;
  request.set_key_id(key.key_id);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_THAT(Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), request),
              IsOk());
  const absl::Status status = reader->Finish();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(access::ReasonOf(status), access::reason::kRevokedApiKey);
  EXPECT_TRUE(bystander->SkipTo(Message::kHeartbeat));
}

TEST_F(EventsTest, ACredentialWarnsBeforeItEnds) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER}, std::chrono::milliseconds(700));
  const auto reader = Subscribe(key.credential, {});
  EXPECT_TRUE(reader->SkipTo(Message::kCredentialExpiring));
  EXPECT_EQ(access::ReasonOf(reader->Finish()), access::reason::kExpiredApiKey);
}

TEST_F(EventsTest, AServerThatStopsSaysWhenToComeBack) {
  Submit(0, 1);
  const auto reader = Subscribe(FromSequence(1));
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  core_.Stop();
  const auto draining = reader->SkipTo(Message::kDraining);
  ASSERT_TRUE(draining);
  EXPECT_GT(draining->draining().reconnect_after_ms(), 0);
  const absl::Status status = reader->Finish();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(status), "DRAINING");
}

TEST_F(EventsTest, AClientThatLeavesIsForgotten) {
  const auto reader = Subscribe({});
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  EXPECT_EQ(core_.app().streams_count(), 1u);
  reader->Cancel();
  EXPECT_THAT(reader->Finish(), StatusIs(absl::StatusCode::kCancelled));
  core_.Restart();  // which waits for every stream
  EXPECT_EQ(core_.app().streams_count(), 0u);
}

TEST_F(EventsTest, AHundredSubscribersGetTheSame) {
  std::vector<std::unique_ptr<EventReader>> readers;
  for (int i = 0; i < 100; ++i) {
    readers.push_back(Subscribe(FromSequence(1)));
    ASSERT_TRUE(readers.back()->SkipTo(Message::kCaughtUp));
  }
  for (int i = 0; i < 5; ++i) Submit(i * 20, i * 20 + 19);
  for (const auto& reader : readers) {
    ExpectContiguous(reader->ReadEvents(201), 1);
    ASSERT_EQ(reader->events().size(), 201u);
  }
}

TEST_F(EventsTest, TooManyStreamsAreRefused) {
  std::vector<std::unique_ptr<EventReader>> readers;
  for (int i = 0; i < 150; ++i) {
    readers.push_back(Subscribe({}));
    ASSERT_TRUE(readers.back()->SkipTo(Message::kCaughtUp));
  }
  const absl::Status status = Refusal(core_.admin(), {});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(access::RetryAfterOf(status).has_value());
}

TEST_F(EventsTest, ReadEventsPagesThroughTheLog) {
  Submit(0, 9);
  v1::ReadEventsRequest request;
  request.set_page_size(8);
  std::vector<v1::Event> all;
  for (std::int64_t from = 1; from <= 21;) {
    request.set_from_sequence(from);
    const auto page =
        Call(core_.events(), &v1::EventService::Stub::ReadEvents, core_.admin(), request);
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->events_size(), 8);
    EXPECT_EQ(page->head_sequence(), 21);
    all.insert(all.end(), page->events().begin(), page->events().end());
    ASSERT_GT(page->next_sequence(), from);
    from = page->next_sequence();
  }
  ExpectContiguous(all, 1);
  EXPECT_EQ(all.size(), 21u);
}

TEST_F(EventsTest, AStreamBeginsAtATimeOrAtANamedPlace) {
  Submit(0, 9);
  v1::ReadEventsRequest all;
  const auto page = Call(core_.events(), &v1::EventService::Stub::ReadEvents, core_.admin(), all);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->events_size(), 21);
  // Readings of one commit have one time: the first of those is where the stream begins.
  const auto& time = page->events(20).time();
  std::int64_t expected = 21;
  while (page->events(static_cast<int>(expected) - 2).time().SerializeAsString() ==
         time.SerializeAsString()) {
    --expected;
  }
  v1::SubscribeRequest request;
  *request.mutable_from_time() = time;
  auto reader = Subscribe(request);
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  ASSERT_FALSE(reader->events().empty());
  ExpectContiguous(reader->events(), expected);
  EXPECT_EQ(reader->events().back().sequence(), 21);

  v1::ReadEventsRequest read;
  *read.mutable_from_time() = time;
  const auto from = Call(core_.events(), &v1::EventService::Stub::ReadEvents, core_.admin(), read);
  ASSERT_THAT(from, IsOk());
  EXPECT_EQ(from->events(0).sequence(), expected);

  request.set_position(v1::START_POSITION_OLDEST);
  reader = Subscribe(request);
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  EXPECT_EQ(reader->events().size(), 21u);
  request.set_position(v1::START_POSITION_NOW);
  reader = Subscribe(request);
  ASSERT_TRUE(reader->SkipTo(Message::kCaughtUp));
  EXPECT_TRUE(reader->events().empty());
}

TEST_F(EventsTest, BadStartsAreRefused) {
  v1::SubscribeRequest request;
  request.mutable_from_time()->set_nanos(1);
  EXPECT_THAT(Refusal(core_.admin(), request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_position(static_cast<v1::StartPosition>(99));
  EXPECT_THAT(Refusal(core_.admin(), request), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::ReadEventsRequest read;
  read.set_from_sequence(1);
  read.mutable_from_time()->set_seconds(1);
  EXPECT_THAT(Call(core_.events(), &v1::EventService::Stub::ReadEvents, core_.admin(), read),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(EventsTest, BadPagesAreRefused) {
  const auto read = [this](const v1::ReadEventsRequest& request) {
    return Call(core_.events(), &v1::EventService::Stub::ReadEvents, core_.admin(), request);
  };
  v1::ReadEventsRequest request;
  request.set_page_size(10'001);
  EXPECT_THAT(read(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request = {};
  request.set_from_sequence(-1);
  EXPECT_THAT(read(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_from_sequence(50);
  EXPECT_EQ(access::ReasonOf(read(request).status()), "START_IN_FUTURE");
  request = {};
  request.set_as_user("no user!");
  EXPECT_THAT(read(request), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(EventsTest, TheBoundsOfTheLogAreTold) {
  Submit(0, 0);
  const auto bounds =
      Call(core_.events(), &v1::EventService::Stub::GetLogBounds, core_.relay(), {});
  ASSERT_THAT(bounds, IsOk());
  EXPECT_EQ(bounds->first_sequence(), 1);
  EXPECT_EQ(bounds->last_sequence(), 3);
  EXPECT_EQ(bounds->epoch().size(), 36u);
}

// A reader that takes nothing, in front of a log that is larger than all buffers on the way.
class SlowReaderTest : public EventsTest {};

TEST_F(SlowReaderTest, NeitherHoldsUpTheWriterNorLosesAnything) {
  grpc::ClientContext context;
  client::Attach(core_.admin(), context);
  const auto channel = core_.NewChannel();
  const auto stub = v1::EventService::NewStub(channel);
  const auto slow = stub->Subscribe(&context, FromSequence(1));
  v1::SubscribeResponse message;
  ASSERT_TRUE(slow->Read(&message));
  const auto quick = Subscribe(FromSequence(1));
  constexpr int kRounds = 20;
  constexpr int kEach = 2'000;
  for (int i = 0; i < kRounds; ++i) {
    std::vector<v1::ReadingInput> readings;
    for (int j = 0; j < kEach; ++j) {
      readings.push_back(QuarterHour("m-1", -(i * kEach + j), "1"));
    }
    core_.SubmitAll(readings);
  }
  constexpr std::size_t kAll = 1 + 2 * kRounds * kEach;
  ExpectContiguous(quick->ReadEvents(kAll), 1);
  std::int64_t next = 1;
  while (next <= static_cast<std::int64_t>(kAll) && slow->Read(&message)) {
    for (const v1::Event& event : message.batch().events()) ASSERT_EQ(event.sequence(), next++);
  }
  EXPECT_EQ(next, static_cast<std::int64_t>(kAll) + 1);
  context.TryCancel();
  slow->Finish();
}

TEST(StalledReaderTest, IsCutOffAfterAWhile) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.mints.automatic = false;
  options.stalled_write_max = std::chrono::milliseconds(300);
  TestCore core(options);
  core.RegisterMeter("m-1", "ada", WalletAddress(1));
  std::vector<v1::ReadingInput> readings;
  for (int i = 0; i < 9'000; ++i) readings.push_back(QuarterHour("m-1", -i, "1"));
  core.SubmitAll(readings);
  // A client that takes little in advance.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
  const auto stub = v1::EventService::NewStub(
      grpc::CreateCustomChannel(core.address(), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  client::Attach(core.admin(), context);
  const auto stalled = stub->Subscribe(&context, FromSequence(1));
  v1::SubscribeResponse message;
  ASSERT_TRUE(stalled->Read(&message));
  core.WaitForStreams(0);
  while (stalled->Read(&message)) {
  }
  EXPECT_FALSE(stalled->Finish().ok());
}

}  // namespace
}  // namespace wattmint::test
