// SPDX-License-Identifier: Apache-2.0
#include "core/mint/minter.h"

#include "core/base/backoff.h"
#include "core/base/status_macros.h"
#include "core/base/uuid.h"
#include "core/mint/settlement.h"
#include "core/mint/transitions.h"
#include "core/store/run_op.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintState;
using domain::MintTask;

constexpr std::size_t kRowsPerTask = 4;  // that one transition writes, about

// A UUID of version 7 (RFC 9562): later batches come behind earlier ones, so that an index of them
// grows at its end.
std::string NewBatchId(base::RandomSource& random, domain::Time now) {
  base::Uuid uuid;
  random.Fill(uuid.bytes);
  const auto milliseconds = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
  for (unsigned i = 0; i < 6; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x70);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid.ToString();
}

std::vector<std::string> KeysOf(const std::vector<MintTask>& tasks) {
  std::vector<std::string> keys;
  keys.reserve(tasks.size());
  for (const MintTask& task : tasks) keys.push_back(domain::IdempotencyKey(task.reading_id));
  return keys;
}

std::vector<ledger::SignedMint> MintsOf(const std::vector<MintTask>& tasks) {
  std::vector<ledger::SignedMint> mints;
  mints.reserve(tasks.size());
  for (const MintTask& task : tasks) {
    mints.push_back({task.signed_bytes, task.transaction_signature, task.expiry_height});
  }
  return mints;
}

// Trouble with the ledger as a whole, or with what lies before it.
absl::Status FirstUnknown(const std::vector<absl::StatusOr<ledger::Receipt>>& receipts) {
  for (const auto& receipt : receipts) {
    if (!receipt.ok() && !absl::IsInvalidArgument(receipt.status())) return receipt.status();
  }
  return absl::OkStatus();
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
      planner_(queue, queries, registry, limits) {}

absl::Status Minter::Load() {
  WATTMINT_ASSIGN_OR_RETURN(const auto paused, queries_.GetSwitch(kPausedSwitch));
  NotePaused(paused.has_value(), paused.value_or(""));
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
  return std::clamp<base::Duration>(**next_due - clock_.Now(), std::chrono::milliseconds(10),
                                    limits_.poll_interval);
}

domain::Time Minter::RetryTime(int tries) {
  return clock_.Now() + base::BackoffDelay({limits_.backoff_initial, limits_.backoff_max, 2},
                                           std::max(tries, 1), random_);
}

absl::StatusOr<bool> Minter::WorkOnce() {
  WATTMINT_RETURN_IF_ERROR(Load());
  if (state().paused) return false;
  WATTMINT_ASSIGN_OR_RETURN(auto in_work,
                            queries_.ListTasksInWork(clock_.Now(), limits_.batch_max));
  return in_work.empty() ? Begin() : Continue(std::move(in_work));
}

// Finds out what became of tasks whose time has come, and sends again what is still open.
absl::StatusOr<bool> Minter::Continue(Tasks tasks) {
  const auto is_claim = [](const MintTask& task) { return task.state == MintState::kClaimed; };
  const auto sent = std::stable_partition(tasks.begin(), tasks.end(), is_claim);
  const Tasks expired(tasks.begin(), sent);
  tasks.erase(tasks.begin(), sent);
  if (!expired.empty()) {
    WATTMINT_RETURN_IF_ERROR(Write(
        [&](store::WriteContext& context) {
          return WriteReleases(context, expired, limits_.attempts_max);
        },
        expired.size()));
  }
  if (tasks.empty()) return true;
  WATTMINT_ASSIGN_OR_RETURN(ledger::Findings findings, ledger_.LookUp(KeysOf(tasks)));
  Tasks open;
  WATTMINT_RETURN_IF_ERROR(Settle(std::move(tasks), std::move(findings), open));
  if (!open.empty()) WATTMINT_RETURN_IF_ERROR(Send(std::move(open)));
  return true;
}

absl::Status Minter::Settle(Tasks tasks, ledger::Findings findings, Tasks& open) {
  const domain::Time retry = RetryTime(std::ranges::max(tasks, {}, &MintTask::attempts).attempts);
  Tasks settled;
  ledger::Findings found{.final_height = findings.final_height, .mints = {}};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!IsSettled(tasks[i], findings.mints[i], findings.final_height)) {
      open.push_back(std::move(tasks[i]));
      continue;
    }
    tasks[i].next_attempt = retry;
    settled.push_back(std::move(tasks[i]));
    found.mints.push_back(std::move(findings.mints[i]));
  }
  if (settled.empty()) return absl::OkStatus();
  return Write(
      [&](store::WriteContext& context) {
        return WriteFindings(context, settled, found, limits_.attempts_max);
      },
      settled.size());
}

absl::StatusOr<bool> Minter::Begin() {
  const std::string batch_id = NewBatchId(random_, clock_.Now());
  WATTMINT_ASSIGN_OR_RETURN(const Tasks claimed, Claim(batch_id));
  if (claimed.empty()) return false;
  Tasks to_send;
  const absl::Status signing = Sign(claimed, batch_id, to_send);
  if (!to_send.empty()) WATTMINT_RETURN_IF_ERROR(Send(std::move(to_send)));
  if (absl::IsAborted(signing)) {
    WATTMINT_RETURN_IF_ERROR(
        Write([&](store::WriteContext& context) { return WriteReturns(context, claimed); },
              claimed.size()));
  }
  WATTMINT_RETURN_IF_ERROR(signing);
  return true;
}

absl::Status Minter::Sign(const Tasks& claimed, const std::string& batch_id, Tasks& to_send) {
  WATTMINT_ASSIGN_OR_RETURN(Plan plan, planner_.Make(claimed, batch_id, clock_.Now()));
  const absl::Status trouble = SignPlan(ledger_, RetryTime(1), plan);
  WATTMINT_RETURN_IF_ERROR(
      Write([&plan](store::WriteContext& context) { return WritePlan(context, plan); },
            plan.to_sign.size() + plan.nothing.size()));
  to_send = std::move(plan.to_sign);
  for (MintTask& task : to_send) {
    task.state = MintState::kSigned;
    task.attempts += 1;
    task.sends = 0;
  }
  return trouble;
}

absl::StatusOr<Minter::Tasks> Minter::Claim(const std::string& batch_id) {
  WATTMINT_ASSIGN_OR_RETURN(const int in_work, queries_.CountTasksInWork());
  const int room = std::min(limits_.batch_max, limits_.in_work_max - in_work);
  if (room <= 0) return Tasks();
  WATTMINT_ASSIGN_OR_RETURN(Tasks due,
                            queries_.ListDueTasks(clock_.Now(), room, !limits_.automatic));
  if (due.empty()) return Tasks();
  Tasks claimed;
  WATTMINT_RETURN_IF_ERROR(store::RunOp(
      queue_,
      [&](store::WriteContext& context) -> absl::Status {
        WATTMINT_ASSIGN_OR_RETURN(
            claimed, WriteClaims(context, due, batch_id, clock_.Now() + limits_.claim_lease));
        return absl::OkStatus();
      },
      due.size()));
  return claimed;
}

absl::Status Minter::Send(Tasks tasks) {
  const auto receipts = ledger_.Submit(MintsOf(tasks));
  // One time for all of them, so that they are looked up together again.
  const domain::Time retry = RetryTime(std::ranges::max(tasks, {}, &MintTask::sends).sends + 1);
  for (MintTask& task : tasks) task.next_attempt = retry;
  WATTMINT_RETURN_IF_ERROR(Write(
      [&](store::WriteContext& context) {
        return WriteReceipts(context, tasks, receipts, limits_.attempts_max);
      },
      tasks.size()));
  return FirstUnknown(receipts);
}

absl::Status Minter::Write(std::function<absl::Status(store::WriteContext&)> write,
                           std::size_t tasks) {
  return store::RunOp(queue_, std::move(write), tasks * kRowsPerTask + 1);
}

void Minter::MintByHand(std::int64_t task_id, TaskCallback done) {
  Change(task_id, WriteByHand, std::move(done));
}

void Minter::Retry(std::int64_t task_id, TaskCallback done) {
  Change(task_id, WriteRetry, std::move(done));
}

void Minter::Discard(std::int64_t task_id, std::string reason, TaskCallback done) {
  Change(
      task_id,
      [reason = std::move(reason)](store::WriteContext& context, std::int64_t id) {
        return WriteDiscard(context, id, reason);
      },
      std::move(done));
}

void Minter::Change(std::int64_t task_id, Transition transition, TaskCallback done) {
  auto task = std::make_shared<MintTask>();
  queue_.Submit(std::make_unique<store::FunctionOp>(
      [task, task_id,
       transition = std::move(transition)](store::WriteContext& context) -> absl::Status {
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
        if (status.ok()) NotePaused(paused, reason);
        Wake();
        done(status);
      }));
}

void Minter::NotePaused(bool paused, std::string reason) {
  base::MutexLock lock(mutex_);
  paused_ = paused;
  pause_reason_ = std::move(reason);
}

Minter::State Minter::state() const {
  base::MutexLock lock(mutex_);
  return {paused_, pause_reason_, limits_.automatic};
}

}  // namespace wattmint::mint
