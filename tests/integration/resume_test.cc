// SPDX-License-Identifier: Apache-2.0
// Clients that outlive the server: the resuming subscriber and the sender of readings.
#include "core/access/reason.h"
#include "core/base/mutex.h"
#include "core/client/core_api.h"
#include "core/client/event_subscriber.h"
#include "core/client/reading_sender.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// Writes down what a subscriber tells, and waits for it.
class Listener final : public client::EventListener {
 public:
  void OnEstablished(const v1::Established&) override {
    Note([this] { ++established_; });
  }
  void OnEvents(std::span<const client::RawEvent> events) override {
    Note([this, events] {
      for (const client::RawEvent& event : events) sequences_.push_back(event.sequence);
    });
  }
  void OnHeartbeat(std::int64_t, std::int64_t) override {
    Note([this] { ++heartbeats_; });
  }
  void OnCaughtUp() override {
    Note([this] { ++caught_up_; });
  }
  void OnLost(const absl::Status&, base::Duration) override {
    Note([this] { ++lost_; });
  }
  void OnStopped(const absl::Status& why) override {
    Note([this, why] { stopped_ = why; });
  }

  template <typename Predicate>
  bool Await(Predicate predicate) {
    base::MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, kPatience, predicate);
  }
  bool AwaitEvents(std::size_t count) {
    return Await([this, count] { return sequences_.size() >= count; });
  }
  void ExpectContiguous(std::int64_t first) {
    base::MutexLock lock(mutex_);
    for (const std::int64_t sequence : sequences_) ASSERT_EQ(sequence, first++);
  }

  int established_ = 0;
  int heartbeats_ = 0;
  int caught_up_ = 0;
  int lost_ = 0;
  absl::Status stopped_;
  std::vector<std::int64_t> sequences_;

 private:
  template <typename Change>
  void Note(Change change) {
    base::MutexLock lock(mutex_);
    change();
    changed_.NotifyAll();
  }

  base::Mutex mutex_;  // guards what is noted
  base::CondVar changed_;
};

class ResumeTest : public testing::Test {
 protected:
  static rpc::CoreOptions Options() {
    rpc::CoreOptions options = TestCore::Defaults();
    options.mints.automatic = false;
    options.feeds.heartbeat = std::chrono::milliseconds(200);
    return options;
  }
  void SetUp() override { core_.RegisterMeter("m-1", "ada"); }

  client::EventSubscriber::Options Everything() {
    client::EventSubscriber::Options options;
    options.credential = core_.relay();
    options.request.set_from_sequence(1);
    options.backoff.initial = std::chrono::milliseconds(20);
    options.backoff.cap = std::chrono::milliseconds(200);
    return options;
  }
  void Submit(int number) { core_.Submit(QuarterHour("m-1", number, "1")); }

  TestCore core_{Options()};
  Listener listener_;
};

TEST_F(ResumeTest, EveryEventComesOnceWhateverHappensToTheServer) {
  const auto channel = core_.NewChannel();
  client::EventSubscriber subscriber(channel, Everything(), listener_);
  subscriber.Start();
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 10; ++i) Submit(round * 10 + i);
    if (round % 2 == 0) {
      ASSERT_TRUE(listener_.AwaitEvents(1 + 20 * (static_cast<std::size_t>(round) + 1)));
    }
    core_.Restart();
  }
  ASSERT_TRUE(listener_.AwaitEvents(81));
  listener_.ExpectContiguous(1);
  EXPECT_TRUE(listener_.Await([this] { return listener_.lost_ >= 4; }));
  subscriber.Stop();
  EXPECT_EQ(listener_.sequences_.size(), 81u);
  EXPECT_EQ(subscriber.position().last_sequence, 81);
  EXPECT_EQ(subscriber.position().epoch.size(), 36u);
}

TEST_F(ResumeTest, APositionIsGoodForAnotherSubscriber) {
  for (int i = 0; i < 3; ++i) Submit(i);
  client::EventSubscriber::Options options = Everything();
  {
    client::EventSubscriber first(core_.NewChannel(), options, listener_);
    first.Start();
    ASSERT_TRUE(listener_.Await([this] { return listener_.caught_up_ > 0; }));
    first.Stop();
    options.request.set_cursor(first.position().cursor);
    options.request.set_last_sequence(first.position().last_sequence);
  }
  Submit(3);
  Listener second_listener;
  client::EventSubscriber second(core_.NewChannel(), options, second_listener);
  second.Start();
  ASSERT_TRUE(second_listener.AwaitEvents(2));
  second_listener.ExpectContiguous(8);
}

TEST_F(ResumeTest, HeartbeatsMoveAQuietSubscriberOn) {
  client::EventSubscriber::Options options = Everything();
  options.request.mutable_filter()->add_meter_ids("m-none");
  client::EventSubscriber subscriber(core_.NewChannel(), options, listener_);
  subscriber.Start();
  ASSERT_TRUE(listener_.Await([this] { return listener_.caught_up_ > 0; }));
  const std::string before = subscriber.position().cursor;
  Submit(0);
  ASSERT_TRUE(listener_.Await([this] { return listener_.heartbeats_ > 2; }));
  EXPECT_NE(subscriber.position().cursor, before);
}

TEST_F(ResumeTest, ARefusedSubscriberStopsForGood) {
  client::EventSubscriber::Options options = Everything();
  options.request.set_cursor("rubbish");
  client::EventSubscriber subscriber(core_.NewChannel(), options, listener_);
  subscriber.Start();
  ASSERT_TRUE(listener_.Await([this] { return !listener_.stopped_.ok(); }));
  EXPECT_EQ(access::ReasonOf(listener_.stopped_), "CURSOR_INVALID");
  EXPECT_EQ(listener_.lost_, 0);
}

TEST_F(ResumeTest, ASubscriberWhoseKeyIsRevokedStopsForGood) {
  const auto key = core_.CreateKey("bridge", {v1::ROLE_RELAY});
  client::EventSubscriber::Options options = Everything();
  options.credential = key.credential;
  client::EventSubscriber subscriber(core_.NewChannel(), options, listener_);
  subscriber.Start();
  ASSERT_TRUE(listener_.Await([this] { return listener_.caught_up_ > 0; }));
  v1::RevokeApiKeyRequest request;
  request.set_key_id(key.key_id);
  ASSERT_THAT(Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), request),
              IsOk());
  ASSERT_TRUE(listener_.Await([this] { return !listener_.stopped_.ok(); }));
  EXPECT_EQ(access::ReasonOf(listener_.stopped_), access::reason::kRevokedApiKey);
}

TEST_F(ResumeTest, ASubscriberStopsWhileItWaitsForAServer) {
  const auto channel = core_.NewChannel();
  core_.Stop();
  client::EventSubscriber::Options options = Everything();
  options.backoff.initial = options.backoff.cap = std::chrono::hours(1);
  client::EventSubscriber subscriber(channel, options, listener_);
  subscriber.Start();
  ASSERT_TRUE(listener_.Await([this] { return listener_.lost_ > 0; }));
  subscriber.Stop();
}

TEST_F(ResumeTest, SilenceCountsAsALostConnection) {
  rpc::CoreOptions quiet = Options();
  quiet.feeds.heartbeat = std::chrono::hours(1);
  TestCore core(quiet);
  client::EventSubscriber::Options options = Everything();
  options.credential = core.relay();
  options.silence_max = std::chrono::milliseconds(100);
  client::EventSubscriber subscriber(core.NewChannel(), options, listener_);
  subscriber.Start();
  EXPECT_TRUE(listener_.Await([this] { return listener_.established_ > 1; }));
}

class SenderTest : public ResumeTest {
 protected:
  client::ReadingSender::Options Fast() {
    client::ReadingSender::Options options;
    options.credential = core_.admin();
    options.backoff.initial = std::chrono::milliseconds(20);
    options.backoff.cap = std::chrono::milliseconds(200);
    return options;
  }
  static v1::StreamReadingsRequest Batch(int first, int count) {
    v1::StreamReadingsRequest batch;
    batch.set_age_policy(v1::AGE_POLICY_ANY_AGE);
    for (int i = 0; i < count; ++i) *batch.add_readings() = QuarterHour("m-1", -first - i, "1");
    return batch;
  }
  client::ReadingSender::Acknowledged Count() {
    return
        [this](const v1::StreamReadingsRequest& batch, const v1::StreamReadingsResponse& answer) {
          EXPECT_EQ(batch.batch_number(), answer.batch_number());
          EXPECT_EQ(answer.batch_number(), ++acknowledged_);
          accepted_ += answer.counts().accepted();
          existed_ += answer.counts().existed();
        };
  }
  client::ReadingSender::Lost CountLost() {
    return [this](const absl::Status&, base::Duration) { ++lost_; };
  }

  std::int64_t acknowledged_ = 0;
  std::int64_t accepted_ = 0;
  std::int64_t existed_ = 0;
  int lost_ = 0;
};

TEST_F(SenderTest, EveryBatchIsAcknowledgedInOrder) {
  client::ReadingSender sender(core_.NewChannel(), Fast(), Count(), CountLost());
  for (int i = 0; i < 50; ++i) ASSERT_THAT(sender.Send(Batch(i * 10, 10)), IsOk());
  ASSERT_THAT(sender.Finish(), IsOk());
  EXPECT_EQ(acknowledged_, 50);
  EXPECT_EQ(accepted_, 500);
  EXPECT_EQ(lost_, 0);
}

TEST_F(SenderTest, WhatWasNotAcknowledgedIsSentAgain) {
  const auto channel = core_.NewChannel();
  client::ReadingSender sender(channel, Fast(), Count(), CountLost());
  for (int i = 0; i < 40; ++i) {
    ASSERT_THAT(sender.Send(Batch(i * 10, 10)), IsOk());
    if (i % 10 == 5) core_.Restart();
  }
  ASSERT_THAT(sender.Finish(), IsOk());
  EXPECT_EQ(acknowledged_, 40);
  EXPECT_EQ(accepted_ + existed_, 400);
  EXPECT_GE(lost_, 1);
  const auto stats =
      Call(core_.readings(), &v1::ReadingService::Stub::GetReadingStats, core_.admin(), {});
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->total().readings(), 400);
}

TEST_F(SenderTest, ARefusalIsPermanent) {
  client::ReadingSender::Options options = Fast();
  options.credential = client::Credential::ApiKey("wm_rubbish");
  client::ReadingSender sender(core_.NewChannel(), options, Count(), CountLost());
  absl::Status status = sender.Send(Batch(0, 1));
  if (status.ok()) status = sender.Finish();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(lost_, 0);
}

TEST_F(SenderTest, WithoutAServerItGivesUp) {
  const auto channel = core_.NewChannel();
  core_.Stop();
  client::ReadingSender::Options options = Fast();
  options.give_up_after = std::chrono::milliseconds(300);
  client::ReadingSender sender(channel, options, Count(), CountLost());
  absl::Status status = sender.Send(Batch(0, 1));
  if (status.ok()) status = sender.Finish();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_GE(lost_, 1);
}

TEST_F(SenderTest, CancelEndsTheWait) {
  const auto channel = core_.NewChannel();
  core_.Stop();
  client::ReadingSender::Options options = Fast();
  options.backoff.initial = options.backoff.cap = std::chrono::hours(1);
  client::ReadingSender sender(channel, options, Count(), CountLost());
  std::thread canceller([&sender] { sender.Cancel(); });
  absl::Status status = sender.Send(Batch(0, 1));
  if (status.ok()) status = sender.Finish();
  canceller.join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ResumeTest, TheBridgesCallsAnswer) {
  client::CoreApi api(core_.NewChannel());
  Submit(0);
  EXPECT_EQ(api.WhoAmI(core_.relay())->user_id(), "relay");
  EXPECT_FALSE(api.CreateTicket(core_.admin(), {})->ticket().empty());
  EXPECT_EQ(api.GetLogBounds(core_.relay())->last_sequence(), 3);
  EXPECT_EQ(api.ReadEvents(core_.relay(), {})->events_size(), 3);
  v1::SubmitReadingRequest request;
  *request.mutable_reading() = QuarterHour("m-1", 1, "1");
  EXPECT_EQ(api.SubmitReading(core_.admin(), request)->result().outcome(),
            v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(access::ReasonOf(api.WhoAmI({}).status()), access::reason::kMissingCredentials);
}

}  // namespace
}  // namespace wattmint::test
