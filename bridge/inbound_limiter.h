// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/rate_limiter.h"

#include <cstdint>

namespace wattmint::bridge {

struct InboundLimits {
  int frames_per_minute = 60;  // Source: requirement S1-44
  int burst_frames = 20;
  int refusals_in_row_max = 20;  // then the connection is closed
};

// Limits the frames that one client sends, and warns when 80 % of the burst are used up.
// Threads: the caller's. Lifetime: `clock` must outlive it.
class InboundLimiter {
 public:
  enum class Verdict { kTake, kTakeAndWarn, kRefuse, kClose };

  InboundLimiter(const InboundLimits& limits, base::Clock& clock)
      : limits_(limits), bucket_({limits.burst_frames, limits.frames_per_minute / 60.0}, clock) {}

  Verdict Frame();
  // After kRefuse: when the next frame will be taken.
  base::Duration retry_after() const { return retry_after_; }
  int used() const { return limits_.burst_frames - static_cast<int>(bucket_.Available()); }

 private:
  const InboundLimits limits_;
  base::RateLimiter bucket_;
  base::Duration retry_after_{};
  int refusals_in_row_ = 0;
  bool has_warned_ = false;
};

}  // namespace wattmint::bridge
