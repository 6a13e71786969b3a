// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/reason.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

namespace wattmint::test {

// Matches a status (or what holds one) with that reason:
//   EXPECT_THAT(verifier.Verify(token), HasReason("INVALID_TOKEN"));
MATCHER_P(HasReason, expected, "has the reason " + testing::PrintToString(expected)) {
  const absl::Status& status = ToStatus(arg);
  *result_listener << "which is " << status.ToString();
  return !status.ok() && access::ReasonOf(status) == std::optional<std::string>(expected);
}

}  // namespace wattmint::test
