// SPDX-License-Identifier: Apache-2.0
#include "core/mint/minter.h"

#include "core/base/backoff.h"
#include "core/base/status_macros.h"
#include "core/mint/transitions.h"
#include "core/store/run_op.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintTask;

// Present with the reason as value while minting is paused.
constexpr std::string_view kPausedSwitch = "minting_paused";
constexpr std::size_t kEventsPerTask = 4;  // rows that one transition writes, about

// Only those of the batch that the first task belongs to.
std::vector<MintTask> FirstBatch(std::vector<MintTask> tasks) {
  const std::string batch_id = tasks.front().batch_id;
  std::erase_if(tasks, [&batch_id](const MintTask& task) { return task.batch_id != batch_id; });
  return tasks;
}

ledger::MintOrder OrderFor(const MintTask& task) {
  return {domain::IdempotencyKey(task.reading_id), task.wallet_address, task.tokens};
}

}  // namespace

Minter::Minter(store::CommitQueue& queue, store::Queries& queries,
               const store::MeterRegistry& registry, ledger::Ledger& ledger, base::Clock& clock,
               base::RandomSource& random, const domain::MintLimits& limits)
    : queue_(queue),
      queries_(queries),
      ledger_(ledger),
      clock_(clock),
      random_(random),
      limits_(limits),
      planner_(queue, queries, registry, random, limits) {}

absl::Status Minter::Load() {
  WATTMINT_ASSIGN_OR_RETURN(const auto paused, queries_.GetSwitch(kPausedSwitch));
  base::MutexLock lock(mutex_);
  paused_ = paused.has_value();
  pause_reason_ = paused.value_or("");
  return absl::OkStatus();
}

void Minter::Run() {
  for (int failures = 0;;) {
    {
      base::MutexLock lock(mutex_);
      if (stopping_) return;
      woken_ = false;
    }
    const auto moved = WorkOnce();
    failures = moved.ok() ? 0 : failures + 1;
    if (!moved.ok() || !*moved) WaitForWork(IdleTime(failures));
  }
}

void Minter::Stop() {
  base::MutexLock lock(mutex_);
  stopping_ = true;
  wake_.NotifyAll();
}

void Minter::Wake() {
  base::MutexLock lock(mutex_);
  woken_ = true;
  wake_.NotifyAll();
}

void Minter::WaitForWork(base::Duration timeout) {
  base::MutexLock lock(mutex_);
  wake_.WaitFor(mutex_, timeout,
                [this]() WATTMINT_REQUIRES(mutex_) { return stopping_ || woken_; });
}

base::Duration Minter::IdleTime(int failures) {
  if (failures > 0) {
    return base::BackoffDelay({limits_.backoff_initial, limits_.backoff_max, 2}, failures, random_);
  }
  const auto next_due = queries_.FindNextDue(!limits_.automatic);
  if (!next_due.ok() || !*next_due || state().paused) return limits_.poll_interval;
  return std::clamp<base::Duration>(**next_due - clock_.Now(), std::chrono::milliseconds(1),
                                    limits_.poll_interval);
}

absl::StatusOr<bool> Minter::WorkOnce() {
  if (state().paused) return false;
  WATTMINT_ASSIGN_OR_RETURN(auto in_work, queries_.ListTasksInWork(limits_.batch_max));
  if (!in_work.empty()) return Send(FirstBatch(std::move(in_work)));
  WATTMINT_ASSIGN_OR_RETURN(
      auto due, queries_.ListDueTasks(clock_.Now(), limits_.batch_max, !limits_.automatic));
  if (due.empty()) return false;
  return Begin(std::move(due));
}

absl::StatusOr<bool> Minter::Begin(std::vector<MintTask> due) {
  WATTMINT_ASSIGN_OR_RETURN(Plan plan, planner_.Make(std::move(due), clock_.Now()));
  std::vector<ledger::MintOrder> orders;
  std::ranges::transform(plan.to_sign, std::back_inserter(orders), OrderFor);
  auto mints = ledger_.Sign(orders);
  for (std::size_t i = 0; i < mints.size(); ++i) {
    WATTMINT_ASSIGN_OR_RETURN(ledger::SignedMint mint, std::move(mints[i]));
    plan.to_sign[i].signed_bytes = std::move(mint.bytes);
    plan.to_sign[i].transaction_signature = std::move(mint.signature);
    plan.to_sign[i].expiry_height = mint.expiry_height;
  }
  WATTMINT_RETURN_IF_ERROR(store::RunOp(
      queue_, [&plan](store::WriteContext& context) { return WritePlan(context, plan); },
      plan.to_sign.size() * kEventsPerTask + 1));
  if (plan.to_sign.empty()) return true;
  return Send(std::move(plan.to_sign));
}

absl::StatusOr<bool> Minter::Send(std::vector<MintTask> tasks) {
  std::vector<ledger::SignedMint> mints;
  mints.reserve(tasks.size());
  for (MintTask& task : tasks) {
    task.state = domain::MintState::kSigned;
    mints.push_back({task.signed_bytes, task.transaction_signature, task.expiry_height});
  }
  const auto receipts = ledger_.Submit(mints);
  const std::size_t weight = tasks.size() * kEventsPerTask;
  WATTMINT_RETURN_IF_ERROR(store::RunOp(
      queue_, [&](store::WriteContext& context) { return WriteReceipts(context, tasks, receipts); },
      weight));
  // What the ledger did not answer is tried again, but not at once.
  for (const auto& receipt : receipts) {
    if (!receipt.ok() && !absl::IsInvalidArgument(receipt.status())) return receipt.status();
  }
  return true;
}

void Minter::MintByHand(std::int64_t task_id, TaskCallback done) {
  Change(task_id, WriteByHand, std::move(done));
}

void Minter::Retry(std::int64_t task_id, TaskCallback done) {
  Change(task_id, WriteRetry, std::move(done));
}

void Minter::Change(std::int64_t task_id, Transition transition, TaskCallback done) {
  auto task = std::make_shared<MintTask>();
  queue_.Submit(std::make_unique<store::FunctionOp>(
      [task, task_id, transition](store::WriteContext& context) -> absl::Status {
        WATTMINT_ASSIGN_OR_RETURN(*task, transition(context, task_id));
        return absl::OkStatus();
      },
      [this, task, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        Wake();
        done(std::move(*task));
      }));
}

void Minter::Pause(std::string reason, Callback done) {
  if (reason.empty()) reason = "no reason given";
  Switch(true, std::move(reason), std::move(done));
}

void Minter::Resume(Callback done) { Switch(false, "", std::move(done)); }

void Minter::Switch(bool paused, std::string reason, Callback done) {
  queue_.Submit(std::make_unique<store::FunctionOp>(
      [paused, reason](store::WriteContext& context) -> absl::Status {
        WATTMINT_RETURN_IF_ERROR(context.transaction().SetSwitch(kPausedSwitch, reason));
        return context.Append(domain::MintingSwitched{paused, reason});
      },
      [this, paused, reason, done = std::move(done)](const absl::Status& status) {
        if (status.ok()) {
          base::MutexLock lock(mutex_);
          paused_ = paused;
          pause_reason_ = reason;
        }
        Wake();
        done(status);
      }));
}

Minter::State Minter::state() const {
  base::MutexLock lock(mutex_);
  return {paused_, pause_reason_, limits_.automatic};
}

}  // namespace wattmint::mint
