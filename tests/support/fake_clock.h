// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace wattmint::test {

// A clock that stands still until it is told otherwise. Threads: any.
class FakeClock final : public base::Clock {
 public:
  // Starts at 2026-06-01T12:00:00Z.
  FakeClock()
      : FakeClock(std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + std::chrono::hours{12}) {
  }
  explicit FakeClock(base::Time now) : now_(now) {}

  base::Time Now() override {
    base::MutexLock lock(mutex_);
    return now_;
  }

  std::chrono::steady_clock::time_point Steady() override {
    base::MutexLock lock(mutex_);
    return steady_;
  }

  // Time passes: both clocks move. REQUIRES: duration >= 0.
  void Advance(base::Duration duration) {
    base::MutexLock lock(mutex_);
    now_ += duration;
    steady_ += duration;
  }

  // Somebody sets the wall clock: only Now() moves.
  void SetNow(base::Time now) {
    base::MutexLock lock(mutex_);
    now_ = now;
  }

 private:
  base::Mutex mutex_;
  base::Time now_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point steady_ WATTMINT_GUARDED_BY(mutex_){};
};

}  // namespace wattmint::test
