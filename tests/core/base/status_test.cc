// SPDX-License-Identifier: Apache-2.0
#include "core/base/status.h"

#include "core/base/status_macros.h"
#include "tests/support/status_matchers.h"

#include <memory>
#include <string>

namespace wattmint::base {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;

absl::StatusOr<std::unique_ptr<int>> Boxed(int value) {
  if (value < 0) return OutOfRange("{} is negative", value);
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int a, int b) {
  WATTMINT_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Boxed(a));
  std::unique_ptr<int> second;
  WATTMINT_ASSIGN_OR_RETURN(second, Boxed(b));
  return *first + *second;
}

absl::Status CheckSum(int a, int b, int* calls) {
  WATTMINT_RETURN_IF_ERROR(Sum(a, b).status());
  ++*calls;
  return absl::OkStatus();
}

TEST(StatusTest, FormatsTheMessageOfItsCode) {
  const absl::Status status = NotFound("meter {} of {}", "M-1", 7);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, Eq("meter M-1 of 7")));
  EXPECT_EQ(Message(status), "meter M-1 of 7");
}

TEST(StatusMacrosTest, AssignsMoveOnlyValues) {
  EXPECT_THAT(Sum(1, 2), IsOk());
  EXPECT_THAT(Sum(1, 2), IsOkAndHolds(Eq(3)));
}

TEST(StatusMacrosTest, ReturnsTheFirstErrorUnchanged) {
  EXPECT_THAT(Sum(-1, -2), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("-1")));
  EXPECT_THAT(Sum(1, -2), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("-2")));
  EXPECT_THAT(Sum(-1, 2), Not(IsOk()));
  EXPECT_THAT(Sum(-1, 2), Not(IsOkAndHolds(Eq(1))));
}

TEST(StatusMacrosTest, StopsAtAnErrorAndGoesOnOtherwise) {
  int calls = 0;
  EXPECT_THAT(CheckSum(-1, 2, &calls), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(CheckSum(1, 2, &calls), IsOk());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace wattmint::base
