// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/domain/limits.h"
#include "core/domain/mint_task.h"
#include "core/ledger/ledger.h"
#include "core/mint/planner.h"
#include "core/store/commit_queue.h"
#include "core/store/meter_registry.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <vector>

namespace wattmint::mint {

// Works mint tasks, each exactly once, whatever crashes in between:
//   PENDING -> CLAIMED (a lease) -> SIGNED (the bytes are durable) -> SUBMITTED (the outcome is
//   open) -> CONFIRMED, or PARKED for a person.
// What may have been sent is looked up, and sent again byte for byte, until it is final; it is
// signed anew only when its bytes are void. Each step is one transaction with its events. What
// waits for its time holds up nobody: only tasks that are due are looked at.
//
// Several minters may work on one database: leases and compare-and-set keep them apart.
// Threads: Run() and WorkOnce() on one; the rest from any. Lifetime: what it is given must outlive
// it.
class Minter {
 public:
  // Called on the queue's acknowledger thread; must not block.
  using TaskCallback = std::function<void(absl::StatusOr<domain::MintTask>)>;
  using Callback = std::function<void(absl::Status)>;

  struct State {
    bool paused = false;
    std::string reason;
    bool automatic = false;
  };

  Minter(store::CommitQueue& queue, store::Queries& queries, const store::MeterRegistry& registry,
         ledger::Ledger& ledger, base::Clock& clock, base::RandomSource& random,
         const domain::MintLimits& limits);

  // Reads the durable switches, as each WorkOnce() does.
  absl::Status Load();
  // Works until Stop().
  void Run();
  void Stop();
  // There may be something to do.
  void Wake();

  // One batch, if there is one. Whether anything moved on. Blocks until it is durable. An error is
  // one of storage or ledger: wait a little before the next call.
  absl::StatusOr<bool> WorkOnce();

  // Asks for one task to be worked also while automatic minting is off. A task that is not PENDING
  // is answered as it is. kNotFound.
  void MintByHand(std::int64_t task_id, TaskCallback done);
  // PARKED back to work. kNotFound, kFailedPrecondition.
  void Retry(std::int64_t task_id, TaskCallback done);
  // PARKED to REJECTED for good. kNotFound, kFailedPrecondition.
  void Discard(std::int64_t task_id, std::string reason, TaskCallback done);
  void Pause(std::string reason, Callback done);
  void Resume(Callback done);

  State state() const;

 private:
  using Transition =
      std::function<absl::StatusOr<domain::MintTask>(store::WriteContext&, std::int64_t)>;
  using Tasks = std::vector<domain::MintTask>;

  absl::StatusOr<bool> Continue(Tasks tasks);
  absl::Status Settle(Tasks tasks, ledger::Findings findings, Tasks& open);
  absl::StatusOr<bool> Begin();
  absl::StatusOr<Tasks> Claim(const std::string& batch_id);
  absl::Status Sign(const Tasks& claimed, const std::string& batch_id, Tasks& to_send);
  absl::Status Send(Tasks tasks);
  absl::Status Write(std::function<absl::Status(store::WriteContext&)> write, std::size_t tasks);
  // When to look again at a task whose bytes were sent, or not signed, so often.
  domain::Time RetryTime(int tries);

  void Change(std::int64_t task_id, Transition transition, TaskCallback done);
  void Switch(bool paused, std::string reason, Callback done);
  void NotePaused(bool paused, std::string reason);
  void WaitForWork(base::Duration timeout);
  base::Duration IdleTime(int failures);

  store::CommitQueue& queue_;
  store::Queries& queries_;
  ledger::Ledger& ledger_;
  base::Clock& clock_;
  base::RandomSource& random_;
  const domain::MintLimits limits_;
  Planner planner_;  // the thread of Run() only

  mutable base::Mutex mutex_;  // guards the switches
  base::CondVar wake_;
  bool woken_ WATTMINT_GUARDED_BY(mutex_) = true;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool paused_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::string pause_reason_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::mint
