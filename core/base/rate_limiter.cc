// SPDX-License-Identifier: Apache-2.0
#include "core/base/rate_limiter.h"

#include "core/base/assert.h"

#include <algorithm>

namespace wattmint::base {
namespace {

constexpr double kRefillPerSecondMax = 1e9;
constexpr double kFullAfterSecondsMax = 1e9;

std::chrono::steady_clock::duration RefillOne(const RateLimit& limit) {
  const double refill = limit.refill_per_second;
  WATTMINT_ASSERT(limit.capacity >= 1 && refill > 0 && refill <= kRefillPerSecondMax &&
                      static_cast<double>(limit.capacity) / refill <= kFullAfterSecondsMax,
                  "a bucket of {} refilled by {} a second", limit.capacity, refill);
  return std::chrono::round<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(1 / refill));
}

}  // namespace

RateLimiter::RateLimiter(const RateLimit& limit, Clock& clock)
    : capacity_(limit.capacity),
      refill_one_(RefillOne(limit)),
      clock_(clock),
      full_at_(clock.Steady()) {}

Duration RateLimiter::Take(int64_t count) {
  WATTMINT_ASSERT(count >= 0, "{} tokens", count);
  if (count > capacity_) return Duration::max();
  const Steady::time_point now = clock_.Steady();
  const Steady::time_point full_at = std::max(full_at_, now) + count * refill_one_;
  const Steady::duration too_early = full_at - now - capacity_ * refill_one_;
  if (too_early > Steady::duration::zero()) return std::chrono::ceil<Duration>(too_early);
  full_at_ = full_at;
  return Duration::zero();
}

int64_t RateLimiter::Available() const {
  const Steady::time_point now = clock_.Steady();
  return (capacity_ * refill_one_ - (std::max(full_at_, now) - now)) / refill_one_;
}

}  // namespace wattmint::base
