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
    EXPECT_THAT(streams.Add(stream), IsOk());
    return stream;
  }

  test::FakeClock clock_;
};

TEST_F(LiveStreamsTest, TimePassesForEveryStream) {
  LiveStreams streams(clock_, 10);
  const auto one = Add(streams);
  const auto other = Add(streams);
  one->ticked_twice_.acquire();
  other->ticked_twice_.acquire();
  streams.Remove(one.get());
  streams.Remove(other.get());
}

TEST_F(LiveStreamsTest, EveryoneIsToldAndCancelled) {
  LiveStreams streams(clock_, 10);
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
  LiveStreams streams(clock_, 10);
  EXPECT_THAT(streams.CheckOpen(), IsOk());
  streams.Drain([] { return base::Duration(); });
  const absl::Status status = streams.Add(std::make_shared<Recorder>());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(status), "DRAINING");
  EXPECT_THAT(streams.CheckOpen(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(LiveStreamsTest, ThereIsALimit) {
  LiveStreams streams(clock_, 1);
  const auto one = Add(streams);
  EXPECT_THAT(streams.Add(std::make_shared<Recorder>()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  streams.Remove(one.get());
  const auto other = Add(streams);
  streams.Remove(other.get());
}

TEST_F(LiveStreamsTest, WaitsForTheLast) {
  LiveStreams streams(clock_, 10);
  const auto one = Add(streams);
  EXPECT_FALSE(streams.WaitUntilEmpty(std::chrono::milliseconds(1)));
  streams.Remove(one.get());
  EXPECT_TRUE(streams.WaitUntilEmpty(std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace wattmint::rpc
