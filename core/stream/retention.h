// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/store/commit_queue.h"
#include "core/store/event_log.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>

namespace wattmint::stream {

// What is kept of the log; the newest event always is.
struct Retention {
  base::Duration age_max{};    // events that are older go; 0: none for its age
  std::int64_t bytes_max = 0;  // of payload; the oldest go; 0: none for its size
  bool KeepsAll() const { return age_max == base::Duration::zero() && bytes_max == 0; }
};

// Removes the oldest events of the log again and again, a few at a time, so that writers hardly
// wait. Whoever reads or resumes before the oldest is told COMPACTED.
//
// Threads: Run() on one, which nothing else waits for; CompactNow() on one at a time; Stop() from
// any. Lifetime: what it is given must outlive it.
class Compactor {
 public:
  struct Options {
    Retention retention;
    base::Duration interval = std::chrono::minutes(1);  // chosen: far below any age worth setting
    std::int64_t rows_max = 4'096;                      // in one commit
  };
  // Called with what could not be done, on the thread of Run(); it is tried again.
  using OnTrouble = std::function<void(const absl::Status&)>;

  Compactor(const Options& options, store::CommitQueue& queue, store::EventLog& log,
            base::Clock& clock, OnTrouble on_trouble);

  // Compacts until Stop(). Returns at once if everything is kept.
  void Run();
  void Stop();

  // Removes what is to go now, and answers how many events that were. Errors: the log's; kCancelled
  // after Stop().
  absl::StatusOr<std::int64_t> CompactNow();

 private:
  // The oldest event that is kept, as far as that can be told now; then there may be more to do.
  absl::StatusOr<std::int64_t> OldestToKeep(const store::LogBounds& bounds);
  bool IsStopping() const;

  const Options options_;
  store::CommitQueue& queue_;
  store::EventLog& log_;
  base::Clock& clock_;
  const OnTrouble on_trouble_;

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar stopped_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
};

}  // namespace wattmint::stream
