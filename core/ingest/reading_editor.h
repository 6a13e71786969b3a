// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/correction.h"
#include "core/domain/limits.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <functional>
#include <optional>
#include <string>

namespace wattmint::ingest {

// Withdraws and corrects accepted readings, as long as nothing of them was signed or may have been:
// what is on the ledger cannot be taken back. The change, its record, its event and what becomes of
// the mint task are one transaction; a minter that holds a claim on the task loses it.
//
// Whoever corrects answers for it: a corrected reading is not looked at for quarantine again.
// Threads: any. Lifetime: what it is given must outlive it.
// Errors: kNotFound; kFailedPrecondition with the reason MINT_IN_WORK (try later) or
// ALREADY_MINTED, or because the reading was rejected; those of the queue.
class ReadingEditor {
 public:
  // Which reading, who asks, and why.
  struct Order {
    domain::ReadingId reading_id;
    std::string user_id;
    std::string reason;
  };
  struct Result {
    domain::AcceptedReading reading;  // as it is now
    domain::Refusal refusal;          // kNone, unless the new energy is none: nothing was changed
    std::int64_t correction_id = 0;   // 0: the reading has been like this from the beginning
  };
  // Called on the queue's acknowledger thread; must not block.
  using Callback = std::function<void(absl::StatusOr<Result>)>;

  // `on_mintable` is called after a commit that gave the minter something to do.
  ReadingEditor(store::CommitQueue& queue, const domain::ReadingLimits& limits,
                std::function<void()> on_mintable);

  // The reading keeps its row and its key, and is never minted. Doing so twice is the same.
  void Withdraw(Order order, Callback done);
  // Another energy, and another quality if there is one. What is corrected to what it says already
  // is answered with the correction that made it so.
  void Correct(Order order, domain::Energy energy, std::optional<domain::Quality> quality,
               Callback done);

 private:
  using Change = std::function<absl::StatusOr<Result>(store::WriteContext&)>;
  void Submit(Change change, Callback done);

  store::CommitQueue& queue_;
  const domain::ReadingLimits limits_;
  const std::function<void()> on_mintable_;
};

}  // namespace wattmint::ingest
