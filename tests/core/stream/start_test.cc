// SPDX-License-Identifier: Apache-2.0
#include "core/stream/start.h"

#include "core/access/reason.h"
#include "core/wire/event_codec.h"
#include "tests/support/memory_log.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace wattmint::stream {
namespace {

using absl::StatusCode;
using test::IsOkAndHolds;
using test::StatusIs;

class StartTest : public testing::Test {
 protected:
  static domain::Time At(int seconds) {
    return domain::Time(std::chrono::seconds(1'780'315'200 + seconds));
  }
  void Append(const std::vector<int>& seconds) {
    for (const int second : seconds) {
      log_.Append(wire::EncodePayload(At(second), domain::MintingSwitched{}));
    }
  }
  absl::StatusOr<std::int64_t> Find(const Start& start,
                                    std::optional<std::int64_t> head = std::nullopt) {
    const store::LogBounds bounds = *log_.GetBounds();
    return FindStart(start, {log_, bounds, head.value_or(bounds.last), signer_, expected_});
  }
  static void ExpectCompacted(const absl::StatusOr<std::int64_t>& found,
                              const std::string& oldest) {
    EXPECT_THAT(found, StatusIs(StatusCode::kOutOfRange));
    EXPECT_EQ(access::ReasonOf(found.status()), "COMPACTED");
    EXPECT_EQ(access::DetailsOf(found.status()).at("oldest_sequence"), oldest);
  }

  test::MemoryLog log_;
  const CursorSigner signer_{{7}};
  const Cursor expected_{"epoch-1", 0, 1, "all"};
};

TEST_F(StartTest, NamedPlaces) {
  EXPECT_THAT(Find(FromNow{}), IsOkAndHolds(0));
  EXPECT_THAT(Find(FromOldest{}), IsOkAndHolds(0));
  Append({1, 2, 3, 4});
  log_.CompactBefore(3);
  EXPECT_THAT(Find(FromNow{}), IsOkAndHolds(4));
  EXPECT_THAT(Find(FromOldest{}), IsOkAndHolds(2));
}

TEST_F(StartTest, ASequenceMustBeKeptOrBeTheNext) {
  Append({1, 2, 3, 4});
  log_.CompactBefore(3);
  EXPECT_THAT(Find(FromSequence{3}), IsOkAndHolds(2));
  EXPECT_THAT(Find(FromSequence{5}), IsOkAndHolds(4));
  ExpectCompacted(Find(FromSequence{2}), "3");
  const auto future = Find(FromSequence{6});
  EXPECT_THAT(future, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(access::ReasonOf(future.status()), "START_IN_FUTURE");
}

TEST_F(StartTest, WhatIsNotPublishedYetIsInTheFuture) {
  Append({1, 2, 3});
  EXPECT_THAT(Find(FromNow{}, 2), IsOkAndHolds(2));
  EXPECT_THAT(Find(FromTime{At(3)}, 2), IsOkAndHolds(2));
  EXPECT_THAT(Find(FromSequence{4}, 2), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(StartTest, ATimeIsTheFirstEventThenOrLater) {
  const std::vector<int> times = {10, 10, 20, 20, 20, 30, 50};
  Append(times);
  for (int asked = 5; asked <= 55; ++asked) {
    std::int64_t earlier = 0;
    for (const int time : times) earlier += time < asked ? 1 : 0;
    EXPECT_THAT(Find(FromTime{At(asked)}), IsOkAndHolds(earlier)) << asked;
  }
}

TEST_F(StartTest, ATimeInAnEmptyLogIsNow) { EXPECT_THAT(Find(FromTime{At(0)}), IsOkAndHolds(0)); }

TEST_F(StartTest, ATimeOfWhichEventsMayBeGoneIsRefused) {
  Append({10, 20, 30, 40});
  log_.CompactBefore(3);
  ExpectCompacted(Find(FromTime{At(20)}), "3");
  ExpectCompacted(Find(FromTime{At(30)}), "3");
  EXPECT_THAT(Find(FromTime{At(31)}), IsOkAndHolds(3));
}

TEST_F(StartTest, ACursorGoesOnOrSaysWhyNot) {
  Append({1, 2, 3, 4});
  Cursor cursor = expected_;
  cursor.sequence = 2;
  EXPECT_THAT(Find(FromCursor{signer_.Encode(cursor), 0}), IsOkAndHolds(2));
  EXPECT_THAT(Find(FromCursor{signer_.Encode(cursor), 3}), IsOkAndHolds(3));
  log_.CompactBefore(4);
  ExpectCompacted(Find(FromCursor{signer_.Encode(cursor), 0}), "4");

  const auto rubbish = Find(FromCursor{"rubbish", 0});
  EXPECT_EQ(access::ReasonOf(rubbish.status()), "CURSOR_INVALID");
  const auto future = Find(FromCursor{signer_.Encode(cursor), 5});
  EXPECT_EQ(access::ReasonOf(future.status()), "START_IN_FUTURE");
  cursor.epoch = "epoch-2";
  const auto other = Find(FromCursor{signer_.Encode(cursor), 0});
  EXPECT_EQ(access::ReasonOf(other.status()), "EPOCH_CHANGED");
}

TEST_F(StartTest, ALogThatCannotBeReadIsSaid) {
  Append({1, 2});
  log_.Fail(absl::UnavailableError("the disk is away"));
  EXPECT_THAT(Find(FromTime{At(1)}), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::stream
