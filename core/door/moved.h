// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as tls_session.h.

#include <cstddef>

namespace wattmint::door {

// What came of one attempt to read or write.
struct Moved {
  enum class State { kDone, kBlocked, kEnded };
  State state = State::kBlocked;
  std::size_t bytes = 0;  // above 0 if and only if kDone
};

}  // namespace wattmint::door
