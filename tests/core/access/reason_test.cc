// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"

#include "core/base/status.h"

#include <gtest/gtest.h>

namespace wattmint::access {
namespace {

TEST(ReasonTest, TravelsWithTheStatus) {
  const absl::Status status = WithReason(base::Unauthenticated("no"), reason::kInvalidToken);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(base::Message(status), "no");
  EXPECT_EQ(ReasonOf(status), "INVALID_TOKEN");
}

TEST(ReasonTest, IsAbsentWhereNobodyPutOne) {
  EXPECT_EQ(ReasonOf(base::NotFound("no")), std::nullopt);
  EXPECT_EQ(ReasonOf(absl::OkStatus()), std::nullopt);
}

TEST(ReasonTest, RetryAfterTravelsBesideIt) {
  const absl::Status status =
      WithRetryAfter(WithReason(base::ResourceExhausted("slow down"), reason::kRateLimited),
                     std::chrono::milliseconds(1'500));
  EXPECT_EQ(ReasonOf(status), "RATE_LIMITED");
  EXPECT_EQ(RetryAfterOf(status), base::Duration(1'500'000));
}

TEST(ReasonTest, RetryAfterIsAbsentWhereNobodyPutOne) {
  EXPECT_EQ(RetryAfterOf(base::ResourceExhausted("no")), std::nullopt);
}

TEST(ReasonTest, RetryAfterThatIsNoNumberIsNone) {
  absl::Status status = base::ResourceExhausted("no");
  status.SetPayload("wattmint.retry_after_us", absl::Cord("soon"));
  EXPECT_EQ(RetryAfterOf(status), std::nullopt);
}

}  // namespace
}  // namespace wattmint::access
