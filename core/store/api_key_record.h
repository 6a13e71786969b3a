// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace wattmint::store {

// An API key as it is stored: its secret only as a hash.
struct ApiKeyRecord {
  std::string key_id;                     // the 8 characters behind "wm_", unique
  std::array<std::uint8_t, 32> sha256{};  // of the whole secret text
  std::string user_id;
  std::uint32_t roles = 0;  // bit n-1 for wattmint.v1.Role n: never renumber
  std::string display_name;
  domain::Time create_time{};
  std::optional<domain::Time> expire_time;
  std::optional<domain::Time> revoke_time;
  std::int32_t requests_per_second = 0;  // 0: no limit

  friend bool operator==(const ApiKeyRecord&, const ApiKeyRecord&) = default;
};

// When a key was used last.
struct KeyUse {
  std::string key_id;
  domain::Time last_use{};

  friend bool operator==(const KeyUse&, const KeyUse&) = default;
};

}  // namespace wattmint::store
