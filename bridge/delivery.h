// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/encoding.h"
#include "bridge/websocket_server.h"
#include "core/base/clock.h"

#include <chrono>
#include <optional>
#include <vector>

namespace wattmint::bridge {

// How a session is handed its events.
struct Delivery {
  Encoding encoding = Encoding::kJson;
  bool in_batches = false;  // all that go at once in one frame: JoinFrames()
  // From one time to the next, while it is live; 0: at once. What comes in between goes together.
  base::Duration interval{};

  friend bool operator==(const Delivery&, const Delivery&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Delivery& delivery) {
    return H::combine(std::move(h), delivery.encoding, delivery.in_batches,
                      delivery.interval.count());
  }
};

inline constexpr std::chrono::milliseconds kBatchIntervalMax{60'000};

// What the upgrade asks for: a subprotocol, and `?batch_ms=` (0 to kBatchIntervalMax).
// `interval_min` holds for everybody. Nothing if batch_ms is no such number.
std::optional<Delivery> DeliveryOf(const HttpRequest& request, base::Duration interval_min);

// One frame for several events, of which each has its own: a JSON array of their messages, or a
// serialised EventBatch. REQUIRES: at least one frame, all of `encoding`.
SharedFrame JoinFrames(const std::vector<SharedFrame>& frames, Encoding encoding);

}  // namespace wattmint::bridge
