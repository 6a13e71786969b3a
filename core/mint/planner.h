// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/domain/limits.h"
#include "core/domain/mint_task.h"
#include "core/ledger/ledger.h"
#include "core/store/commit_queue.h"
#include "core/store/meter_registry.h"
#include "core/store/queries.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::mint {

// What is to become of a batch of claimed tasks. All are CLAIMED as stored.
struct Plan {
  struct RemainderChange {
    domain::Remainder before;  // as it was read; another mint may come between
    domain::Remainder after;
  };

  std::string batch_id;
  std::vector<domain::MintTask> to_sign;    // wallet and tokens are set
  std::vector<domain::MintTask> to_defer;   // not now: next_attempt and reason are set
  std::vector<domain::MintTask> nothing;    // less than one base unit: carried over to the next
  std::vector<domain::MintTask> to_park;    // needs a person; reason is set
  std::vector<domain::MintTask> to_reject;  // nothing that may be minted; reason is set
  // Tasks whose amount was fixed, and whose energy was counted for the day, by an earlier signing.
  absl::flat_hash_set<std::int64_t> fixed;
  absl::flat_hash_map<std::string, RemainderChange> remainders;  // by meter
  // Where the cap of a day holds: what was signed before, on which day; another may come between.
  struct DayEnergy {
    std::int64_t day = 0;
    domain::Energy before;
  };
  std::optional<DayEnergy> capped_day;
};

// Decides how much is minted for each task, and to which wallet, and whether it may be at all: here
// a reading is looked at again, apart from the request that brought it.
//
// Tokens are rounded down to whole base units; what is left over is carried to the meter's next
// mint. The wallet is the one that the registry names for the meter now, as long as the meter still
// belongs to the owner of the reading, else the one of the time of acceptance, or if there was none
// then, the latest of that owner's other meters; never that of the new owner. Threads: one.
class Planner {
 public:
  Planner(store::CommitQueue& queue, store::Queries& queries, const store::MeterRegistry& registry,
          const domain::MintLimits& limits);

  absl::StatusOr<Plan> Make(std::vector<domain::MintTask> claimed, std::string batch_id,
                            domain::Time now);

 private:
  absl::Status Place(domain::MintTask task, domain::Time now, Plan& plan);
  // What speaks against minting the task now; it is placed then.
  absl::StatusOr<bool> IsHeldBack(domain::MintTask& task, domain::Time now, Plan& plan);
  absl::StatusOr<std::string> WalletFor(const domain::MintTask& task);
  // Sets the tokens; false when they cannot be told, and the task is placed.
  absl::StatusOr<bool> Convert(domain::MintTask& task, Plan& plan);
  absl::StatusOr<domain::Remainder> RemainderOf(const std::string& meter_id, Plan& plan);

  store::CommitQueue& queue_;
  store::Queries& queries_;
  const store::MeterRegistry& registry_;
  const domain::MintLimits limits_;
  domain::Energy day_energy_;  // of the day of the plan in work, with what it holds
};

// Has the plan's mints signed. What is not signed leaves `to_sign`: refused for good to be parked,
// else deferred to `retry_at`. Answers the first trouble that is not for good.
absl::Status SignPlan(ledger::Ledger& ledger, domain::Time retry_at, Plan& plan);

}  // namespace wattmint::mint
