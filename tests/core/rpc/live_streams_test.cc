// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/live_streams.h"

#include "core/access/reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <string>

namespace wattmint::rpc {
namespace {

using test::IsOk;
using test::StatusIs;

class Recorder final : public LiveStream {
 public:
  void OnTick(std::chrono::steady_clock::time_point) override {
    if (ticks_.fetch_add(1) == 1) ticked_twice_.release();
  }
  void OnKeyChanged(std::string_view key_id) override { key_ = key_id; }
  void OnDrain(base::Duration reconnect_after) override { drain_ = reconnect_after; }
  void Cancel() override { is_cancelled_ = true; }

  std::atomic<int> ticks_{0};
  std::binary_semaphore ticked_twice_{0};
  std::string key_;
  base::Duration drain_{};
  bool is_cancelled_ = false;
};

class LiveStreamsTest : public testing::Test {
 protected:
  std::shared_ptr<Recorder> Add(LiveStreams& streams) {
    auto stream = std::make_shared<Recorder>();
    EXPECT_THAT(streams.Add(stream, owner_), IsOk());
    return stream;
  }

  test::FakeClock clock_;
  const access::Principal owner_{.user_id = "ada", .roles = {access::Role::kUser}};
};

TEST_F(LiveStreamsTest, TimePassesForEveryStream) {
  LiveStreams streams(clock_, {.streams_max = 10});
  const auto one = Add(streams);
  const auto other = Add(streams);
  one->ticked_twice_.acquire();
  other->ticked_twice_.acquire();
  streams.Remove(one.get());
  streams.Remove(other.get());
}

TEST_F(LiveStreamsTest, EveryoneIsToldAndCancelled) {
  LiveStreams streams(clock_, {.streams_max = 10});
  const auto one = Add(streams);
  EXPECT_EQ(streams.size(), 1u);
  streams.KeyChanged("abc");
  streams.Drain([] { return std::chrono::milliseconds(7); });
  streams.CancelAll();
  EXPECT_EQ(one->key_, "abc");
  EXPECT_EQ(one->drain_, std::chrono::milliseconds(7));
  EXPECT_TRUE(one->is_cancelled_);
  streams.Remove(one.get());
}

TEST_F(LiveStreamsTest, NothingNewComesWhileDraining) {
  LiveStreams streams(clock_, {.streams_max = 10});
  EXPECT_THAT(streams.CheckOpen(), IsOk());
  streams.Drain([] { return base::Duration(); });
  const absl::Status status = streams.Add(std::make_shared<Recorder>(), owner_).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(status), "DRAINING");
  EXPECT_THAT(streams.CheckOpen(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(LiveStreamsTest, ThereIsALimit) {
  LiveStreams streams(clock_, {.streams_max = 1});
  const auto one = Add(streams);
  EXPECT_THAT(streams.Add(std::make_shared<Recorder>(), owner_),
              StatusIs(absl::StatusCode::kResourceExhausted));
  streams.Remove(one.get());
  const auto other = Add(streams);
  streams.Remove(other.get());
}

TEST_F(LiveStreamsTest, WaitsForTheLast) {
  LiveStreams streams(clock_, {.streams_max = 10});
  const auto one = Add(streams);
  EXPECT_FALSE(streams.WaitUntilEmpty(std::chrono::milliseconds(1)));
  streams.Remove(one.get());
  EXPECT_TRUE(streams.WaitUntilEmpty(std::chrono::milliseconds(1)));
}

TEST_F(LiveStreamsTest, EachUserHasALimitOfTheirOwn) {
  LiveStreams streams(clock_, {.streams_max = 10, .streams_per_user_max = 2});
  const auto first = Add(streams);
  const auto second = Add(streams);
  const absl::Status refusal = streams.Add(std::make_shared<Recorder>(), owner_).status();
  EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(access::ReasonOf(refusal), access::reason::kTooManyStreams);
  access::Principal other = owner_;
  other.user_id = "bob";
  const auto third = std::make_shared<Recorder>();
  EXPECT_THAT(streams.Add(third, other), IsOk());
  streams.Remove(first.get());
  const auto fourth = Add(streams);
  for (const auto& stream : {second, third, fourth}) streams.Remove(stream.get());
  for (const auto& stream : {Add(streams), Add(streams)}) streams.Remove(stream.get());
}

TEST_F(LiveStreamsTest, WhoServesOthersHasNoLimit) {
  LiveStreams streams(clock_, {.streams_max = 10, .streams_per_user_max = 1});
  for (const access::Role role :
       {access::Role::kIngest, access::Role::kAdmin, access::Role::kRelay}) {
    access::Principal servant = owner_;
    servant.roles.Add(role);
    const auto first = std::make_shared<Recorder>();
    const auto second = std::make_shared<Recorder>();
    for (const auto& stream : {first, second}) EXPECT_THAT(streams.Add(stream, servant), IsOk());
    for (const auto& stream : {first, second}) streams.Remove(stream.get());
  }
}

}  // namespace
}  // namespace wattmint::rpc
