// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/filter.h"

#include "absl/status/statusor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::store {

// An event as it lies in the log: the payload is a serialised wattmint.v1.Event without its
// sequence.
struct StoredEvent {
  std::int64_t sequence = 0;
  std::string payload;
};

struct LogBounds {
  std::string epoch;       // identity of the log; a UUID
  std::int64_t first = 1;  // first sequence that is still there
  std::int64_t last = 0;   // 0: empty
  std::int64_t bytes = 0;  // of the payloads from first to last
};

// The event log as its readers see it: committed events only, in order, without gaps.
// Threads: any.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual absl::StatusOr<LogBounds> GetBounds() = 0;
  // Events from `from` on (included), at most `count_max` of them and not more than fit in
  // `bytes_max` of payload, but at least one if there is one. kOutOfRange when `from` was
  // compacted.
  virtual absl::StatusOr<std::vector<StoredEvent>> Read(std::int64_t from, std::size_t count_max,
                                                        std::size_t bytes_max) = 0;
};

// A committed event in memory, shared by everybody who sends it.
struct EventRecord {
  struct Body {
    std::string payload;
    domain::EventAttributes attributes;
  };
  std::int64_t sequence = 0;
  std::shared_ptr<const Body> body;  // shared: the tail and every subscriber that sends it hold it
};

// Where committed events go at once: the stream hub.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Events in order, without a gap to those before.
  virtual void Publish(std::vector<EventRecord> events) = 0;
  // After trouble: the log ends at `last`; what was not published is to be read from it.
  virtual void Reset(std::int64_t last) = 0;
};

}  // namespace wattmint::store
