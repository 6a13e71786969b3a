// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/websocket_server.h"
#include "core/store/event_log.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wattmint::bridge {

// Ready-made frames of the newest events: each event is encoded and framed once for all sessions.
//
// Threads: one (the owner's of the sessions).
class EventFrames {
 public:
  // Keeps up to `frames_max` frames, by sequence.
  explicit EventFrames(std::size_t frames_max = 8'192);

  // kDataLoss when the payload is no event.
  absl::StatusOr<SharedFrame> Get(const store::EventRecord& event);

  // Sequences may mean other events from now on.
  void Clear();

  std::int64_t encoded_count() const { return encoded_count_; }

 private:
  struct Slot {
    std::int64_t sequence = 0;
    SharedFrame frame;
  };

  std::vector<Slot> slots_;  // slot of a sequence: the remainder by their number
  std::int64_t encoded_count_ = 0;
};

}  // namespace wattmint::bridge
