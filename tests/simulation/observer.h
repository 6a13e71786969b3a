// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"
#include "core/domain/limits.h"
#include "core/domain/mint_task.h"
#include "core/domain/token_amount.h"
#include "core/store/event_log.h"
#include "core/store/queries.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/fake_chain.h"
#include "tests/simulation/trace.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace wattmint::simulation {

// Sees everything: what clients were told, every event as a subscriber reads it, and the chain as
// it really is. Throws a Violation as soon as they don't fit together. Threads: one.
class Observer {
 public:
  struct Accepted {
    domain::ReadingId reading_id;
    domain::Energy energy;
  };
  // One place for a reading: the client uses each for one reading, which it may repeat.
  struct Slot {
    std::optional<Accepted> accepted;   // as a client was told
    std::set<std::int64_t> unanswered;  // energies that were submitted with an unknown outcome
  };
  using SlotKey = std::pair<std::string, domain::Time>;  // meter and start

  Observer(const domain::MintLimits& limits, FakeChain& chain, Coverage& coverage, Trace& trace)
      : limits_(limits), chain_(chain), coverage_(coverage), trace_(trace) {}

  // What clients know.
  Slot& SlotOf(const std::string& meter_id, domain::Time start) {
    return slots_[{meter_id, start}];
  }

  // An event was given to those who listen. On the acknowledger's thread, while the thread that
  // drives waits.
  void NotePublished(std::int64_t sequence, const std::string& payload);
  // Reads on in the log, and looks at the chain.
  void Watch(store::EventLog& log);
  // After a restart: nothing that anybody saw or was promised may be gone.
  void CheckAfterRestart(store::EventLog& log, store::Queries& queries);
  // What is wrong with the tasks as they are stored; what clients must not see in between.
  void CheckTasks(const std::vector<domain::MintTask>& tasks);
  // When all work is done: sums, and the amount of every meter.
  void CheckAtEnd(store::Queries& queries, const std::vector<domain::MintTask>& tasks);

  // Readings that were accepted and are to be minted, by task.
  struct Story {
    std::string key;
    std::string meter_id;
    std::string user_id;  // at acceptance, and for ever
    bool had_wallet = false;
    domain::Energy energy;
    domain::MintState told = domain::MintState::kPending;
    bool is_minted = false;
    bool was_parked = false;
  };
  const std::map<std::int64_t, Story>& stories() const { return stories_; }
  std::int64_t events() const { return seen_; }

 private:
  void See(const domain::Event& event);
  void See(const domain::MeterReadingReceived& received);
  void See(const domain::MeterChanged& changed);
  void See(const domain::TaskStatusChanged& change);
  void See(const domain::TokensMinted& minted);
  void CheckChain();
  // Base units that the energy is worth, rounded up or down.
  std::int64_t Worth(std::int64_t nano_kwh, bool rounded_up) const;

  const domain::MintLimits limits_;
  FakeChain& chain_;
  Coverage& coverage_;
  Trace& trace_;
  std::map<SlotKey, Slot> slots_;
  std::map<std::string, std::string> owners_;             // by meter: as the log told last
  std::map<std::string, std::set<std::string>> wallets_;  // by user: all that they ever named
  std::map<std::int64_t, std::string> published_;
  std::int64_t published_twice_ = 0;
  std::vector<std::string> payloads_;  // of sequence i + 1
  std::int64_t seen_ = 0;
  std::map<std::int64_t, Story> stories_;
  std::map<std::string, std::int64_t> task_of_key_;
  std::set<std::int64_t> received_;                  // rows
  std::map<std::int64_t, std::string> claims_left_;  // by task: the batch
};

}  // namespace wattmint::simulation
