// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wattmint/v1/event.pb.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace wattmint::client {

// An event as it came: the payload is a serialised wattmint.v1.Event without its sequence, as the
// log stores it and core/wire/event_codec.h reads it.
struct RawEvent {
  std::int64_t sequence = 0;
  std::string_view payload;
};

// One message of a stream. `events` of a batch are views of the bytes that were parsed; all other
// messages are in `control`.
struct EventFrame {
  std::vector<RawEvent> events;
  v1::SubscribeResponse control;
};

// Parses a serialised SubscribeResponse without making messages of its events.
// kDataLoss for bytes that are none, or a batch whose events do not ascend.
absl::StatusOr<EventFrame> ParseEventFrame(std::string_view bytes);

}  // namespace wattmint::client
