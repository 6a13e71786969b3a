// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ingest/meter_registrar.h"
#include "core/ingest/pipeline.h"
#include "core/mint/minter.h"
#include "core/store/commit_queue.h"
#include "core/store/meter_registry.h"
#include "storage/database.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/fake_chain.h"
#include "tests/simulation/observer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"
#include "tests/support/sim_vfs.h"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace wattmint::simulation {

// How many minters there are, and what they share.
enum class Minters {
  kOne,
  kTwoOnOneQueue,  // the other works while this one calls the ledger
  kTwoProcesses,   // each with connections of its own; the other works before each transaction
};

// One process: the production parts on the database, as core/rpc puts them together.
class Process {
 public:
  struct Around {
    FakeChain& chain;
    test::FakeClock& clock;
    store::MeterRegistry& registry;
    Coverage& coverage;
    std::function<void(std::int64_t, const std::string&)> on_published;
    std::function<absl::Status()> before_begin;  // on the writer's thread
  };

  // An error is one of the database.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const Around& around,
                                                        const std::string& vfs,
                                                        int checkpoint_pages,
                                                        const domain::MintLimits& limits,
                                                        std::vector<base::RandomSource*> minters);
  ~Process();

  // The database could not be opened again: only a restart helps.
  bool is_stuck() const { return stuck_; }
  store::EventLog& log() { return database_->event_log(); }
  store::Queries& queries() { return database_->queries(); }
  ingest::Pipeline& pipeline() { return *pipeline_; }
  ingest::MeterRegistrar& registrar() { return *registrar_; }
  mint::Minter& minter(std::size_t i) { return *minters_[i]; }

 private:
  class WatchedJournal;
  class WatchedLog;
  class Sink;

  explicit Process(const Around& around) : around_(around) {}

  const Around around_;
  std::atomic<bool> stuck_{false};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<store::EventLog> log_;
  std::unique_ptr<store::EventSink> sink_;
  std::unique_ptr<store::CommitQueue> queue_;
  std::unique_ptr<ingest::MeterRegistrar> registrar_;
  std::unique_ptr<ingest::Pipeline> pipeline_;
  std::vector<std::unique_ptr<mint::Minter>> minters_;
};

// Everything around the processes that outlives them: the disk, the clock, the chain.
// Threads: one drives; each call blocks until it is done, so that the order is always the same.
class World {
 public:
  struct Setup {
    std::uint64_t seed = 0;
    domain::MintLimits limits;
    Minters minters = Minters::kOne;
    FakeChain::Kind chain = FakeChain::Kind::kUnguarded;
  };

  World(const Setup& setup, FaultMix& faults, base::RandomSource& random, Coverage& coverage,
        Trace& trace);
  ~World();

  void Start();
  // Ends the processes, by a crash if the power is off, and begins anew.
  void Restart();
  bool MustRestart() const;
  // Power or process is lost in the middle of the n-th write from now on.
  enum class Loss { kPower, kProcess };
  void Cut(std::int64_t n, Loss loss) {
    next_loss_ = loss;
    disk_.CutAfter(n);
  }
  // One minter works once. Whether something moved on.
  absl::StatusOr<bool> Work(std::size_t minter);
  std::size_t minters() const { return setup_.minters == Minters::kOne ? 1 : 2; }
  void PassTime(base::Duration duration);

  Process& process() { return *first_; }
  FakeChain& chain() { return chain_; }
  test::SimDisk& disk() { return disk_; }
  test::FakeClock& clock() { return clock_; }
  Observer& observer() { return observer_; }
  store::MeterRegistry& registry() { return registry_; }
  // Until told otherwise, nothing more fits on the disk.
  void FillDisk(bool is_full) {
    is_disk_full_ = is_full;
    SetDiskFaults();
  }
  // What SQLite finds wrong in the database's file, with its indexes; "ok": nothing.
  std::string CheckFile();
  // The disk fails as the mix says; or, while somebody looks who shall not disturb, not at all.
  void SetDiskFaults();
  void SuspendDiskFaults() { disk_.faults() = {}; }

 private:
  void Crash();
  void Meanwhile();
  absl::Status BeforeBegin();
  absl::Status TryStart();
  void Stop();

  const Setup setup_;
  FaultMix& faults_;
  base::RandomSource& random_;
  Coverage& coverage_;
  Trace& trace_;
  test::SimDisk disk_;
  test::SimVfs vfs_;
  test::FakeClock clock_;
  FakeChain chain_;
  Observer observer_;
  store::MeterRegistry registry_;
  test::SeededRandom minter_random_[2];
  std::int64_t microseconds_to_block_ = 0;
  int checkpoint_pages_;
  std::unique_ptr<Process> first_;
  std::unique_ptr<Process> second_;  // of Minters::kTwoProcesses
  bool is_working_ = false;          // this minter or that
  bool is_meddling_ = false;         // the other works in between
  bool has_crashed_ = false;
  bool is_disk_full_ = false;
  Loss next_loss_ = Loss::kPower;
};

}  // namespace wattmint::simulation
