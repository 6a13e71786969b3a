// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/limits.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"
#include "core/ingest/recent_readings.h"
#include "core/ingest/validator.h"
#include "core/store/commit_queue.h"
#include "core/store/meter_registry.h"

#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <vector>

namespace wattmint::ingest {

// One reading of a request, as far as its text could be read.
struct Candidate {
  domain::Reading reading;
  domain::Refusal malformed;          // kNone: well-formed
  std::optional<domain::Time> start;  // absent when the reading has none
};

enum class Outcome { kAccepted, kExists, kRejected };

// What became of one candidate.
struct Answer {
  Outcome outcome = Outcome::kRejected;
  std::optional<domain::ReadingId> reading_id;
  domain::Refusal refusal;  // of an accepted one: kNone, and why it is in quarantine
  domain::MintState mint_state = domain::MintState::kPending;
};

struct IngestCounters {
  std::atomic<std::int64_t> accepted{0};
  std::atomic<std::int64_t> quarantined{0};  // of the accepted
  std::atomic<std::int64_t> existed{0};
  std::array<std::atomic<std::int64_t>, domain::kRejectionsMax + 1> rejected{};  // by Rejection
};

// Takes readings in: each is validated and stored, with its mint task and its events, in one
// transaction with whatever else has accumulated, and answered after that is durable.
//
// Threads: Submit() from any. Lifetime: what it is given must outlive it, and the queue be stopped
// before it ends.
class Pipeline {
 public:
  // One answer for each candidate, in order; kUnavailable when the outcome is unknown (submit the
  // same again). Called on the queue's acknowledger thread; must not block.
  using Callback = std::function<void(absl::StatusOr<std::vector<Answer>>)>;

  // `on_mintable` is called after a commit that stored mint tasks: it wakes the minter.
  Pipeline(store::CommitQueue& queue, const store::MeterRegistry& registry,
           const domain::ReadingLimits& limits, std::function<void()> on_mintable);

  void Submit(Submitter submitter, std::vector<Candidate> candidates, Callback done);
  const IngestCounters& counters() const { return counters_; }

 private:
  class SubmitOp;

  absl::StatusOr<RecentReadings::Meter*> Recall(store::Transaction& transaction,
                                                const domain::Meter& meter);
  void Count(const Answer& answer);

  store::CommitQueue& queue_;
  const store::MeterRegistry& registry_;
  const domain::ReadingLimits limits_;
  const std::function<void()> on_mintable_;
  RecentReadings recent_;  // the writer's thread only
  IngestCounters counters_;
};

}  // namespace wattmint::ingest
