// SPDX-License-Identifier: Apache-2.0
#include "core/stream/retention.h"

#include "core/access/reason.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace wattmint::stream {
namespace {

using test::Engine;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

constexpr auto kHour = std::chrono::hours(1);

class RetentionTest : public testing::Test {
 protected:
  void Append(int count, std::string_view reason = "why") {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(
          store::RunOp(engine_.queue(),
                       [reason](store::WriteContext& context) {
                         return context.Append(domain::MintingSwitched{true, std::string(reason)});
                       }),
          IsOk());
    }
  }
  Compactor Make(const Retention& retention, std::int64_t rows_max = 10) {
    return Compactor(
        {.retention = retention, .interval = std::chrono::milliseconds(1), .rows_max = rows_max},
        engine_.queue(), engine_.log(), engine_.clock(),
        [](const absl::Status& why) { ADD_FAILURE() << why; });
  }
  store::LogBounds Bounds() { return Engine::Value(engine_.log().GetBounds()); }
  // What the log says of its size is what it holds.
  void ExpectRightSize() {
    const store::LogBounds bounds = Bounds();
    std::int64_t bytes = 0;
    std::int64_t sequence = bounds.first;
    for (const auto& event : Engine::Value(engine_.log().Read(bounds.first, 100'000, 1 << 30))) {
      ASSERT_EQ(event.sequence, sequence++);
      bytes += std::ssize(event.payload);
    }
    EXPECT_EQ(sequence, bounds.last + 1);
    EXPECT_EQ(bounds.bytes, bytes);
  }

  Engine engine_;
};

TEST_F(RetentionTest, WithoutBoundsEverythingIsKept) {
  Append(3);
  engine_.clock().Advance(10'000 * kHour);
  Compactor compactor = Make({});
  EXPECT_THAT(compactor.CompactNow(), IsOkAndHolds(0));
  compactor.Run();
  EXPECT_EQ(Bounds().first, 1);
  ExpectRightSize();
}

TEST_F(RetentionTest, OlderEventsGoAndTheNewestStays) {
  Append(25);
  engine_.clock().Advance(2 * kHour);
  Append(5);
  Compactor compactor = Make({.age_max = kHour});
  EXPECT_THAT(compactor.CompactNow(), IsOkAndHolds(25));
  EXPECT_EQ(Bounds().first, 26);
  ExpectRightSize();
  EXPECT_THAT(compactor.CompactNow(), IsOkAndHolds(0));

  engine_.clock().Advance(2 * kHour);
  EXPECT_THAT(compactor.CompactNow(), IsOkAndHolds(4));
  EXPECT_EQ(Bounds().first, 30);
  EXPECT_EQ(Bounds().last, 30);
}

TEST_F(RetentionTest, AnEventOfJustThatAgeIsKept) {
  Append(1);
  engine_.clock().Advance(kHour);
  Append(1);
  EXPECT_THAT(Make({.age_max = kHour}).CompactNow(), IsOkAndHolds(0));
  engine_.clock().Advance(std::chrono::microseconds(1));
  EXPECT_THAT(Make({.age_max = kHour}).CompactNow(), IsOkAndHolds(1));
}

TEST_F(RetentionTest, TheOldestGoUntilTheRestIsSmallEnough) {
  for (int i = 0; i < 60; ++i) Append(1, std::string(static_cast<std::size_t>(i) * 7 % 90, 'x'));
  const store::LogBounds before = Bounds();
  const std::int64_t half = before.bytes / 2;
  ASSERT_THAT(Make({.bytes_max = half}).CompactNow(), IsOk());
  const store::LogBounds after = Bounds();
  EXPECT_LE(after.bytes, half);
  EXPECT_GT(after.bytes, half * 8 / 10) << "more was removed than had to be";
  EXPECT_EQ(after.last, before.last);
  ExpectRightSize();
  ASSERT_THAT(Make({.bytes_max = 1}).CompactNow(), IsOk());
  EXPECT_EQ(Bounds().first, Bounds().last);
}

TEST_F(RetentionTest, SequencesGoOnAfterARestart) {
  Append(20);
  ASSERT_THAT(Make({.bytes_max = 1}).CompactNow(), IsOk());
  engine_.Close();
  engine_.Open();
  Append(1);
  EXPECT_EQ(Bounds().last, 21);
  ExpectRightSize();
}

TEST_F(RetentionTest, AReaderThatIsOvertakenIsToldTheOldest) {
  Append(20);
  engine_.Close();
  engine_.Open();  // nothing is in memory
  const auto subscription =
      engine_.hub().Subscribe({{access::EventScope::Reach::kEverything, ""}, {}}, 3, [] {});
  ASSERT_THAT(Make({.bytes_max = 1}).CompactNow(), IsOk());
  const auto page = subscription->Next(10, 1'000);
  EXPECT_THAT(page, StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(access::ReasonOf(page.status()), "COMPACTED");
  EXPECT_EQ(access::DetailsOf(page.status()).at("oldest_sequence"), "20");
}

TEST_F(RetentionTest, RunsUntilItIsStopped) {
  Append(20);
  Compactor compactor = Make({.bytes_max = 1});
  std::thread running([&compactor] { compactor.Run(); });
  while (Bounds().first < 20) std::this_thread::yield();
  Append(5);
  while (Bounds().first < 25) std::this_thread::yield();
  compactor.Stop();
  running.join();
  EXPECT_THAT(compactor.CompactNow(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace wattmint::stream
