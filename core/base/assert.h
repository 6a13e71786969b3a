// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <string>

// Stops the program with file, line, condition and message if `condition` is false; in every build.
// For our own bugs and broken invariants only; what a caller can cause is a status or a rejection.
// Example: WATTMINT_ASSERT(remainder < denominator, "remainder {} of {}", remainder, denominator);
#define WATTMINT_ASSERT(condition, ...)                                 \
  do {                                                                  \
    if (!(condition)) [[unlikely]] {                                    \
      ::wattmint::base::AssertionFailed(__FILE__, __LINE__, #condition, \
                                        ::fmt::format(__VA_ARGS__));    \
    }                                                                   \
  } while (false)

namespace wattmint::base {

[[noreturn]] void AssertionFailed(const char* file, int line, const char* condition,
                                  const std::string& message);

}  // namespace wattmint::base
