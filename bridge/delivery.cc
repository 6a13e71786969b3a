// SPDX-License-Identifier: Apache-2.0
#include "bridge/delivery.h"

#include "bridge/frame_deflater.h"
#include "bridge/request_credential.h"
#include "core/base/assert.h"
#include "core/wire/event_codec.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <string>

namespace wattmint::bridge {

std::optional<Delivery> DeliveryOf(const HttpRequest& request, base::Duration interval_min) {
  Delivery delivery{.encoding = EncodingOf(request.subprotocol), .interval = interval_min};
  const std::optional<std::string> batch_ms = QueryValue(request.target, "batch_ms");
  if (!batch_ms) return delivery;
  int milliseconds = 0;
  if (!absl::SimpleAtoi(*batch_ms, &milliseconds)) return std::nullopt;
  const std::chrono::milliseconds interval(milliseconds);
  if (interval < interval.zero() || interval > kBatchIntervalMax) return std::nullopt;
  delivery.in_batches = true;
  delivery.interval = std::max<base::Duration>(interval_min, interval);
  return delivery;
}

SharedFrame JoinFrames(const std::vector<SharedFrame>& frames, Encoding encoding) {
  WATTMINT_ASSERT(!frames.empty(), "nothing to join");
  std::string joined;
  if (encoding == Encoding::kProto) {
    for (const SharedFrame& frame : frames) wire::AppendEventField(PayloadOf(frame), joined);
    return FrameBinary(joined);
  }
  for (const SharedFrame& frame : frames) {
    joined += joined.empty() ? '[' : ',';
    joined += PayloadOf(frame);
  }
  joined += ']';
  return FrameText(joined);
}

}  // namespace wattmint::bridge
