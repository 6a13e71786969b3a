// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconcile_schedule.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <utility>

namespace wattmint::mint {
namespace {

absl::Status IsStopped() {
  return access::WithReason(base::Unavailable("the core is about to stop"), "DRAINING");
}

}  // namespace

ReconcileSchedule::ReconcileSchedule(const Options& options, base::Clock& clock, Work work,
                                     Callback on_end)
    : options_(options),
      clock_(clock),
      work_(std::move(work)),
      on_end_(std::move(on_end)),
      due_(std::chrono::steady_clock::now()) {}

void ReconcileSchedule::Run() {
  while (std::optional<Waiting> waiting = WaitUntilDue()) {
    absl::StatusOr<Report> report = RunOnce();
    if (!report.ok() && IsStopping()) {
      report = IsStopped();
    } else {
      on_end_(report);
    }
    for (const Callback& done : *waiting) done(report);
  }
}

std::optional<ReconcileSchedule::Waiting> ReconcileSchedule::WaitUntilDue() {
  base::MutexLock lock(mutex_);
  const auto is_asked = [this]()
                            WATTMINT_REQUIRES(mutex_) { return stopping_ || !waiting_.empty(); };
  if (due_) {
    changed_.WaitUntil(mutex_, *due_, is_asked);
  } else {
    changed_.Wait(mutex_, is_asked);
  }
  if (stopping_) return std::nullopt;
  return std::exchange(waiting_, {});
}

absl::StatusOr<ReconcileSchedule::Report> ReconcileSchedule::RunOnce() {
  Report report;
  report.start_time = clock_.Now();
  const auto start = clock_.Steady();
  absl::StatusOr<Reconciliation> found = work_([this] { return IsStopping(); });
  report.end_time = clock_.Now();
  report.duration = std::chrono::duration_cast<base::Duration>(clock_.Steady() - start);

  base::MutexLock lock(mutex_);
  const base::Duration pause = found.ok() ? options_.interval : options_.retry_interval;
  due_.reset();
  if (pause > base::Duration::zero()) due_ = std::chrono::steady_clock::now() + pause;
  if (!found.ok()) {
    ++state_.failed;
    return found.status();
  }
  report.found = *std::move(found);
  ++state_.done;
  state_.last = report;
  return report;
}

void ReconcileSchedule::Stop() {
  Waiting left;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    left.swap(waiting_);
    changed_.NotifyAll();
  }
  for (const Callback& done : left) done(IsStopped());
}

void ReconcileSchedule::Ask(Callback done) {
  {
    base::MutexLock lock(mutex_);
    if (!stopping_) {
      waiting_.push_back(std::move(done));
      changed_.NotifyAll();
      return;
    }
  }
  done(IsStopped());
}

ReconcileSchedule::State ReconcileSchedule::state() const {
  base::MutexLock lock(mutex_);
  return state_;
}

bool ReconcileSchedule::IsStopping() const {
  base::MutexLock lock(mutex_);
  return stopping_;
}

}  // namespace wattmint::mint
