// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/random.h"

namespace wattmint::base {

// REQUIRES: initial > 0, cap >= initial, multiplier >= 1.
struct BackoffOptions {
  Duration initial = std::chrono::milliseconds(500);
  Duration cap = std::chrono::seconds(30);
  int multiplier = 2;
};

// How long to wait after failure number `attempt`, counted from 1: uniform over 0 (excluded) to
// min(cap, initial × multiplier^(attempt - 1)) (included), so that many who failed together do not
// return together ("full jitter").
// Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
// REQUIRES: attempt >= 1.
Duration BackoffDelay(const BackoffOptions& options, int attempt, RandomSource& random);

}  // namespace wattmint::base
