// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"

#include <array>
#include <cstdint>
#include <string>

namespace wattmint::store {

// That an alert or a notification was sent, so that it is not sent again.
struct AnnouncementRecord {
  std::string request_id;                 // unique
  std::array<std::uint8_t, 32> sha256{};  // of what was asked for, so that nothing else passes
  std::int64_t sequence = 0;              // of its event
  domain::Time time{};                    // when it was sent

  friend bool operator==(const AnnouncementRecord&, const AnnouncementRecord&) = default;
};

}  // namespace wattmint::store
