// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <utility>

// Returns the status of an expression of type absl::Status from this function unless it is OK.
#define WATTMINT_RETURN_IF_ERROR(...)                                        \
  do {                                                                       \
    if (absl::Status wattmint_status = (__VA_ARGS__); !wattmint_status.ok()) \
      return wattmint_status;                                                \
  } while (false)

// Assigns the value of an expression of type absl::StatusOr<T> to `lhs`, which may declare a
// variable, or returns its status from this function.
// Example: WATTMINT_ASSIGN_OR_RETURN(const Energy energy, Energy::Parse(text));
#define WATTMINT_ASSIGN_OR_RETURN(lhs, ...)                                                \
  WATTMINT_IMPL_ASSIGN_OR_RETURN(WATTMINT_IMPL_CONCAT(wattmint_status_or_, __LINE__), lhs, \
                                 __VA_ARGS__)

#define WATTMINT_IMPL_CONCAT(a, b) WATTMINT_IMPL_CONCAT_EXPANDED(a, b)
#define WATTMINT_IMPL_CONCAT_EXPANDED(a, b) a##b
#define WATTMINT_IMPL_ASSIGN_OR_RETURN(result, lhs, ...) \
  auto result = (__VA_ARGS__);                           \
  if (!result.ok()) return std::move(result).status();   \
  lhs = *std::move(result)
