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
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

namespace wattmint::mint {

// What is to become of a batch of due tasks.
struct Plan {
  std::string batch_id;
  std::vector<domain::MintTask> to_sign;   // wallet and tokens are set
  std::vector<domain::MintTask> to_defer;  // not now: next_attempt and reason are set
  std::vector<domain::MintTask> nothing;   // less than one base unit: carried over to the next
  std::vector<domain::MintTask> to_park;   // can never be minted as it is; reason is set
  // By meter, as they are afterwards.
  absl::flat_hash_map<std::string, domain::Remainder> remainders;
};

// Decides how much is minted for each task, and to which wallet.
//
// Tokens are rounded down to whole base units; what is left over is carried to the meter's next
// mint. The wallet is the one that the registry names for the meter now, as long as the meter still
// belongs to the owner of the reading, else the one of the time of acceptance. Threads: one.
class Planner {
 public:
  Planner(store::CommitQueue& queue, store::Queries& queries, const store::MeterRegistry& registry,
          base::RandomSource& random, const domain::MintLimits& limits);

  absl::StatusOr<Plan> Make(std::vector<domain::MintTask> due, domain::Time now);

 private:
  absl::StatusOr<std::string> WalletFor(const domain::MintTask& task);
  absl::StatusOr<std::int64_t> RemainderOf(const std::string& meter_id, Plan& plan);
  absl::Status Place(domain::MintTask task, domain::Time now, Plan& plan);

  store::CommitQueue& queue_;
  store::Queries& queries_;
  const store::MeterRegistry& registry_;
  base::RandomSource& random_;
  const domain::MintLimits limits_;
};

}  // namespace wattmint::mint
