// SPDX-License-Identifier: Apache-2.0
#include "core/base/backoff.h"

#include "core/base/assert.h"

namespace wattmint::base {
namespace {

Duration LongestDelay(const BackoffOptions& options, int attempt) {
  Duration delay = options.initial;
  for (int i = 1; i < attempt; ++i) {
    if (delay > options.cap / options.multiplier) return options.cap;
    if (options.multiplier == 1) break;
    delay *= options.multiplier;
  }
  return delay;
}

}  // namespace

Duration BackoffDelay(const BackoffOptions& options, int attempt, RandomSource& random) {
  WATTMINT_ASSERT(attempt >= 1, "attempt {}", attempt);
  WATTMINT_ASSERT(
      options.initial.count() > 0 && options.cap >= options.initial && options.multiplier >= 1,
      "a back-off of {} to {} us by {}", options.initial.count(), options.cap.count(),
      options.multiplier);
  const auto longest = static_cast<uint64_t>(LongestDelay(options, attempt).count());
  return Duration(static_cast<int64_t>(random.NextBelow(longest)) + 1);
}

}  // namespace wattmint::base
