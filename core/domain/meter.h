// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"

#include <cstdint>
#include <string>

namespace wattmint::domain {

// A registered meter: who owns it, which wallet its tokens go to, and which key it signs with.
struct Meter {
  std::int64_t meter_ref = 0;  // small number that stands for the meter in the database, from 1
  std::string meter_id;
  std::string user_id;
  std::string wallet_address;  // empty: mints wait for one
  Time register_time{};
  Time update_time{};
  std::string public_key;  // that it signs with; empty: none

  friend bool operator==(const Meter&, const Meter&) = default;
};

}  // namespace wattmint::domain
