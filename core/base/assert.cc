// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace wattmint::base {

void AssertionFailed(const char* file, int line, const char* condition,
                     const std::string& message) {
  fmt::print(stderr, "{}:{}: assertion `{}` failed: {}\n", file, line, condition, message);
  std::abort();
}

}  // namespace wattmint::base
