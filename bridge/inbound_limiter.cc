// SPDX-License-Identifier: Apache-2.0
#include "bridge/inbound_limiter.h"

namespace wattmint::bridge {

InboundLimiter::Verdict InboundLimiter::Frame() {
  retry_after_ = bucket_.Take();
  if (retry_after_ > base::Duration::zero()) {
    return ++refusals_in_row_ >= limits_.refusals_in_row_max ? Verdict::kClose : Verdict::kRefuse;
  }
  refusals_in_row_ = 0;
  const bool is_high = used() * 5 >= limits_.burst_frames * 4;
  if (used() * 2 <= limits_.burst_frames) has_warned_ = false;
  if (!is_high || has_warned_) return Verdict::kTake;
  has_warned_ = true;
  return Verdict::kTakeAndWarn;
}

}  // namespace wattmint::bridge
