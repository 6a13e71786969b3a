// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <cstdint>

namespace wattmint::base {

// REQUIRES: capacity >= 1; 0 < refill_per_second <= 10^9; full again within 10^9 seconds.
struct RateLimit {
  int64_t capacity = 1;          // tokens; also the largest burst
  double refill_per_second = 1;  // tokens, kept to the nanosecond for one
};

// Lets through what a token bucket holds, which is full at the start. Thread-compatible.
// Lifetime: `clock` must outlive the limiter.
class RateLimiter {
 public:
  RateLimiter(const RateLimit& limit, Clock& clock);

  // Takes `count` tokens and returns zero; or takes nothing and returns the time after which that
  // many will be there, Duration::max() if more than the bucket ever holds. REQUIRES: count >= 0.
  [[nodiscard]] Duration Take(int64_t count = 1);

  // Whole tokens that could be taken now.
  int64_t Available() const;

 private:
  using Steady = std::chrono::steady_clock;

  const int64_t capacity_;
  const Steady::duration refill_one_;
  Clock& clock_;
  Steady::time_point full_at_;  // the whole state: the bucket fills linearly up to this time
};

}  // namespace wattmint::base
