// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/status.h"
#include "core/store/event_log.h"

#include <vector>

namespace wattmint::bridge {

// The log of a hub that has only its tail: a bridge asks the core for everything older, and must
// not wait for it on the sessions' thread. Threads: any.
class TailOnlyLog final : public store::EventLog {
 public:
  absl::StatusOr<store::LogBounds> GetBounds() override {
    return base::Unavailable("the log is the core's");
  }
  absl::StatusOr<std::vector<store::StoredEvent>> Read(std::int64_t, std::size_t,
                                                       std::size_t) override {
    return base::Unavailable("the log is the core's");
  }
};

}  // namespace wattmint::bridge
