// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

namespace wattmint::simulation {

// Something that must never happen.
class Violation final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Thrown out of a call of the ledger: the process ends there.
struct ProcessCrash {};

template <typename... Args>
void Require(bool holds, fmt::format_string<Args...> format, Args&&... args) {
  if (!holds) throw Violation(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace wattmint::simulation
