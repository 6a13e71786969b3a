// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/encoding.h"
#include "bridge/websocket_server.h"
#include "core/store/event_log.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wattmint::bridge {

// Ready-made frames of the newest events: each event is encoded and framed once for all sessions of
// an encoding.
//
// Threads: one (the owner's of the sessions).
class EventFrames {
 public:
  // Keeps up to `frames_max` frames of each encoding that is asked for, by sequence.
  explicit EventFrames(std::size_t frames_max = 8'192) : frames_max_(frames_max) {}

  // An event of a later version is an Unknown. kDataLoss when the payload is no event at all.
  absl::StatusOr<SharedFrame> Get(const store::EventRecord& event, Encoding encoding);

  // Sequences are those of another log from now on, with that epoch.
  void Reset(const std::string& epoch);

  std::int64_t encoded_count() const { return encoded_count_; }

 private:
  struct Slot {
    std::int64_t sequence = 0;
    std::size_t payload_hash = 0;  // another log may have another event of that sequence
    SharedFrame frame;
  };

  absl::StatusOr<SharedFrame> Make(const store::EventRecord& event, Encoding encoding) const;

  const std::size_t frames_max_;
  std::string epoch_;
  ByEncoding<std::vector<Slot>> slots_;  // slot of a sequence: the remainder by their number
  std::int64_t encoded_count_ = 0;
};

}  // namespace wattmint::bridge
