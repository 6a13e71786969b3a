// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wattmint::base {

// UTC without leap seconds, in microseconds: the resolution of everything that is stored.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

// Where the time comes from, so that tests and simulations can set it. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for what is stored and shown. It may jump in either direction.
  virtual Time Now() = 0;

  // For measuring and for deadlines. It never goes back.
  virtual std::chrono::steady_clock::time_point Steady() = 0;
};

class SystemClock final : public Clock {
 public:
  Time Now() override;
  std::chrono::steady_clock::time_point Steady() override;
};

}  // namespace wattmint::base
