// SPDX-License-Identifier: Apache-2.0
#include "core/stream/retention.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/store/run_op.h"
#include "core/stream/start.h"

#include <algorithm>
#include <utility>

namespace wattmint::stream {

Compactor::Compactor(const Options& options, store::CommitQueue& queue, store::EventLog& log,
                     base::Clock& clock, OnTrouble on_trouble)
    : options_(options),
      queue_(queue),
      log_(log),
      clock_(clock),
      on_trouble_(std::move(on_trouble)) {}

void Compactor::Run() {
  if (options_.retention.KeepsAll()) return;
  while (!IsStopping()) {
    const auto removed = CompactNow();
    if (!removed.ok() && !IsStopping()) on_trouble_(removed.status());
    base::MutexLock lock(mutex_);
    stopped_.WaitFor(mutex_, options_.interval,
                     [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
  }
}

void Compactor::Stop() {
  base::MutexLock lock(mutex_);
  stopping_ = true;
  stopped_.NotifyAll();
}

absl::StatusOr<std::int64_t> Compactor::CompactNow() {
  std::int64_t removed = 0;
  for (;;) {
    if (IsStopping()) return base::Cancelled("the core is about to stop");
    WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, log_.GetBounds());
    WATTMINT_ASSIGN_OR_RETURN(const std::int64_t keep, OldestToKeep(bounds));
    if (keep <= bounds.first) return removed;
    std::int64_t count = 0;
    WATTMINT_RETURN_IF_ERROR(store::RunOp(
        queue_,
        [this, keep, &count](store::WriteContext& context) -> absl::Status {
          WATTMINT_ASSIGN_OR_RETURN(count,
                                    context.transaction().CompactEvents(keep, options_.rows_max));
          return absl::OkStatus();
        },
        static_cast<std::size_t>(options_.rows_max)));
    if (count == 0) return removed;
    removed += count;
  }
}

absl::StatusOr<std::int64_t> Compactor::OldestToKeep(const store::LogBounds& bounds) {
  const Retention& retention = options_.retention;
  std::int64_t keep = bounds.first;
  if (retention.age_max > base::Duration::zero()) {
    WATTMINT_ASSIGN_OR_RETURN(keep, FirstCommittedSince(clock_.Now() - retention.age_max,
                                                        bounds.first, bounds.last, log_));
  }
  const std::int64_t excess = bounds.bytes - retention.bytes_max;
  if (retention.bytes_max > 0 && excess > 0) {
    // By the mean size, at least one: what is still too much goes in the next round.
    const double share = static_cast<double>(excess) / static_cast<double>(bounds.bytes);
    const auto count =
        static_cast<std::int64_t>(share * static_cast<double>(bounds.last - bounds.first + 1));
    keep = std::max(keep, bounds.first + std::max<std::int64_t>(count, 1));
  }
  return std::min(keep, bounds.last);
}

bool Compactor::IsStopping() const {
  base::MutexLock lock(mutex_);
  return stopping_;
}

}  // namespace wattmint::stream
