// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/mint/reconciler.h"

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace wattmint::mint {

// Reconciles at the start, then again and again, and whenever somebody asks: one at a time.
//
// Threads: Run() on one, which nothing else waits for; the rest from any.
class ReconcileSchedule {
 public:
  struct Options {
    base::Duration interval = std::chrono::hours(1);  // from one end to the next start; 0: none
    base::Duration retry_interval = std::chrono::minutes(1);  // after one that could not be done
  };
  struct Report {
    Reconciliation found;
    base::Time start_time{};
    base::Time end_time{};
    base::Duration duration{};  // by the steady clock
  };
  // Reconcile() on whatever is to be compared; kCancelled soon after `is_cancelled` answers true.
  using Work =
      std::function<absl::StatusOr<Reconciliation>(const std::function<bool()>& is_cancelled)>;
  // Called on the thread of Run() or Stop(); must not block.
  using Callback = std::function<void(const absl::StatusOr<Report>&)>;

  struct State {
    std::optional<Report> last;  // the last that could be done
    std::int64_t done = 0;
    std::int64_t failed = 0;  // could not be done
  };

  // `on_end` hears of each but those that Stop() ended. `clock` must outlive it.
  ReconcileSchedule(const Options& options, base::Clock& clock, Work work, Callback on_end);

  // Reconciles until Stop().
  void Run();
  // Ends also the one that runs; whoever asked gets kUnavailable.
  void Stop();
  // Asks for one that begins after this call; all who wait share it. kUnavailable after Stop().
  void Ask(Callback done);

  State state() const;

 private:
  using Waiting = std::vector<Callback>;

  // The callbacks of those who wait for the next, which is due now; nothing after Stop().
  std::optional<Waiting> WaitUntilDue();
  absl::StatusOr<Report> RunOnce();
  bool IsStopping() const;

  const Options options_;
  base::Clock& clock_;
  const Work work_;
  const Callback on_end_;

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  // Nothing: not before somebody asks.
  std::optional<std::chrono::steady_clock::time_point> due_ WATTMINT_GUARDED_BY(mutex_);
  Waiting waiting_ WATTMINT_GUARDED_BY(mutex_);
  State state_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::mint
