// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"
#include "storage/connection.h"
#include "tests/simulation/violation.h"

#include <SQLiteCpp/Column.h>

#include <algorithm>
#include <utility>

namespace wattmint::simulation {
namespace {

constexpr char kPath[] = "wattmint.db";
constexpr base::Duration kBlockTime = std::chrono::seconds(1);
constexpr std::int64_t kBlocksAtATime = 60;  // however long the jump: the chain rested meanwhile
// The queue tries again by itself only after a restart: the world must stand still meanwhile.
constexpr base::Duration kReopenDelay = std::chrono::hours(1);

bool IsLostRace(const absl::Status& status) { return absl::IsAborted(status); }

}  // namespace

class Process::WatchedJournal final : public store::Journal {
 public:
  explicit WatchedJournal(Process& process) : process_(process) {}
  absl::StatusOr<std::unique_ptr<store::Transaction>> Begin() override {
    WATTMINT_RETURN_IF_ERROR(process_.around_.before_begin());
    return process_.database_->journal().Begin();
  }
  absl::Status Reopen() override {
    absl::Status status = process_.database_->journal().Reopen();
    // What fails once may work the next time.
    if (!status.ok()) status = process_.database_->journal().Reopen();
    process_.around_.coverage.Saw(status.ok() ? Rare::kReopened : Rare::kReopenFailed);
    if (!status.ok()) process_.stuck_ = true;
    return status;
  }

 private:
  Process& process_;
};

// As the queue sees it, after trouble.
class Process::WatchedLog final : public store::EventLog {
 public:
  explicit WatchedLog(Process& process) : process_(process) {}
  absl::StatusOr<store::LogBounds> GetBounds() override {
    auto bounds = process_.log().GetBounds();
    if (!bounds.ok()) process_.stuck_ = true;
    return bounds;
  }
  absl::StatusOr<std::vector<store::StoredEvent>> Read(std::int64_t from, std::size_t count_max,
                                                       std::size_t bytes_max) override {
    return process_.log().Read(from, count_max, bytes_max);
  }

 private:
  Process& process_;
};

class Process::Sink final : public store::EventSink {
 public:
  explicit Sink(Process& process) : process_(process) {}
  void Publish(std::vector<store::EventRecord> events) override {
    for (const store::EventRecord& event : events) {
      process_.around_.on_published(event.sequence, event.body->payload);
    }
  }
  void Reset(std::int64_t /*last*/) override {}

 private:
  Process& process_;
};

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const Around& around,
                                                        const std::string& vfs,
                                                        int checkpoint_pages,
                                                        const domain::MintLimits& limits,
                                                        std::vector<base::RandomSource*> minters) {
  std::unique_ptr<Process> process(new Process(around));
  storage::Database::Options options;
  options.connection.path = kPath;
  options.connection.vfs = vfs;
  options.connection.checkpoint_pages = checkpoint_pages;
  options.readers = 1;
  WATTMINT_ASSIGN_OR_RETURN(process->database_, storage::Database::Open(options));
  WATTMINT_ASSIGN_OR_RETURN(auto meters, process->queries().LoadMeters());
  around.registry.Load(std::move(meters));
  process->journal_ = std::make_unique<WatchedJournal>(*process);
  process->log_ = std::make_unique<WatchedLog>(*process);
  process->sink_ = std::make_unique<Sink>(*process);
  process->queue_ = std::make_unique<store::CommitQueue>(
      *process->journal_, *process->log_, *process->sink_, around.clock, wire::EncodePayload,
      store::CommitQueue::Options{.reopen_delay = kReopenDelay});
  process->queue_->OnReopen([process = process.get()]() -> absl::Status {
    auto loaded = process->queries().LoadMeters();
    if (!loaded.ok()) process->stuck_ = true;
    WATTMINT_RETURN_IF_ERROR(loaded.status());
    process->around_.registry.Load(*std::move(loaded));
    return absl::OkStatus();
  });
  process->registrar_ = std::make_unique<ingest::MeterRegistrar>(*process->queue_, around.registry);
  process->pipeline_ = std::make_unique<ingest::Pipeline>(*process->queue_, around.registry,
                                                          domain::ReadingLimits{}, [] {});
  for (base::RandomSource* random : minters) {
    process->minters_.push_back(std::make_unique<mint::Minter>(*process->queue_, process->queries(),
                                                               around.registry, around.chain,
                                                               around.clock, *random, limits));
  }
  return process;
}

Process::~Process() {
  if (queue_) queue_->Stop();
}

World::World(const Setup& setup, FaultMix& faults, base::RandomSource& random, Coverage& coverage,
             Trace& trace)
    : setup_(setup),
      faults_(faults),
      random_(random),
      coverage_(coverage),
      trace_(trace),
      disk_(setup.seed ^ 0x9e37'79b9'7f4a'7c15u),
      vfs_("simulation", disk_),
      chain_(setup.chain, faults, random, coverage, trace),
      observer_(setup.limits, chain_, coverage, trace),
      minter_random_{test::SeededRandom(setup.seed * 2 + 1),
                     test::SeededRandom(setup.seed * 2 + 2)},
      checkpoint_pages_(static_cast<int>(random.NextBelow(100)) + 8) {
  chain_.meanwhile = [this] { Meanwhile(); };
}

World::~World() { Stop(); }

void World::SetDiskFaults() {
  disk_.faults() = {};
  disk_.faults().read_errors_ppm = faults_.PermilleOf(Fault::kIoError) * 100;
  disk_.faults().write_errors_ppm = faults_.PermilleOf(Fault::kIoError) * 1'000;
  disk_.faults().sync_errors_ppm = faults_.PermilleOf(Fault::kSyncError) * 1'000;
  if (is_disk_full_) disk_.faults().bytes_max = 0;
}

bool World::MustRestart() const {
  return disk_.IsOff() || has_crashed_ || first_->is_stuck() || (second_ && second_->is_stuck());
}

std::string World::CheckFile() {
  const auto connection =
      storage::Connection::Open({.path = kPath, .vfs = vfs_.name()}, storage::Access::kRead);
  Require(connection.ok(), "the database cannot be read: {}", connection.status().ToString());
  return (*connection)->database().execAndGet("PRAGMA integrity_check").getString();
}

void World::Crash() {
  has_crashed_ = true;
  coverage_.Saw(Rare::kCrash);
}

void World::Stop() {
  second_.reset();
  first_.reset();
}

void World::Start() { Restart(); }

void World::Restart() {
  // A dead process leaves its files as they are; SQLite finds no time to put them in order.
  const bool is_off = disk_.IsOff();
  const bool has_crashed = is_off ? next_loss_ == Loss::kProcess : has_crashed_;
  if (has_crashed) disk_.Cut();
  if (is_off) coverage_.Saw(has_crashed ? Rare::kCrashInWrite : Rare::kPowerCut);
  has_crashed_ = false;
  chain_.NoteRestart();
  for (int tries = 1;; ++tries) {
    Stop();
    trace_.Note("restart {}{}", tries,
                has_crashed && tries == 1 ? ", it had crashed"
                : disk_.IsOff()           ? ", the power was off"
                                          : "");
    if (has_crashed && tries == 1) {
      disk_.Restart();
    } else {
      disk_.PowerUp();
    }
    if (tries > 10) SuspendDiskFaults();
    if (tries <= 10 && faults_.Strikes(Fault::kPowerCut)) {
      Cut(1 + static_cast<std::int64_t>(random_.NextBelow(80)), Loss::kPower);
    }
    const absl::Status status = TryStart();
    if (status.ok() && !disk_.IsOff()) break;
    trace_.Note("  not started: {}", absl::StatusCodeToString(status.code()));
    Require(tries <= 12, "a sound disk, and the database does not open: {}", status.ToString());
  }
  SetDiskFaults();
}

absl::Status World::TryStart() {
  Process::Around around{
      .chain = chain_,
      .clock = clock_,
      .registry = registry_,
      .coverage = coverage_,
      .on_published =
          [this](std::int64_t sequence, const std::string& payload) {
            observer_.NotePublished(sequence, payload);
          },
      .before_begin = [this] { return BeforeBegin(); },
  };
  std::vector<base::RandomSource*> minters{&minter_random_[0]};
  if (setup_.minters == Minters::kTwoOnOneQueue) minters.push_back(&minter_random_[1]);
  WATTMINT_ASSIGN_OR_RETURN(
      first_, Process::Start(around, vfs_.name(), checkpoint_pages_, setup_.limits, minters));
  if (setup_.minters != Minters::kTwoProcesses) return absl::OkStatus();
  around.before_begin = [] { return absl::OkStatus(); };
  WATTMINT_ASSIGN_OR_RETURN(second_, Process::Start(around, vfs_.name(), checkpoint_pages_,
                                                    setup_.limits, {&minter_random_[1]}));
  return absl::OkStatus();
}

absl::StatusOr<bool> World::Work(std::size_t minter) {
  is_working_ = true;
  mint::Minter& worker = minter == 1 && second_ ? second_->minter(0) : first_->minter(minter);
  absl::StatusOr<bool> moved = false;
  try {
    moved = worker.WorkOnce();
  } catch (const ProcessCrash&) {
    moved = base::Aborted("the process crashed");
    Crash();
  }
  is_working_ = false;
  if (!has_crashed_ && IsLostRace(moved.status()) &&
      base::Message(moved.status()).find("somebody else") != std::string_view::npos) {
    coverage_.Saw(Rare::kMinterLostRace);
  }
  return moved;
}

// While the ledger is called.
void World::Meanwhile() {
  if (faults_.Strikes(Fault::kCrash)) throw ProcessCrash{};
  if (faults_.Strikes(Fault::kSlowCall)) {
    PassTime(std::chrono::milliseconds(random_.NextBelow(15'000)));
  }
  const bool meddles = setup_.minters == Minters::kTwoOnOneQueue && !is_meddling_ &&
                       faults_.Strikes(Fault::kSecondMinter);
  if (!meddles) return;
  is_meddling_ = true;
  trace_.Note("  the other minter works meanwhile");
  try {
    const auto moved = first_->minter(1).WorkOnce();
    trace_.Note("  the other minter: {}", absl::StatusCodeToString(moved.status().code()));
  } catch (const ProcessCrash&) {
    is_meddling_ = false;
    throw;
  }
  is_meddling_ = false;
  // Nothing can be written any more until somebody starts it again.
  if (first_->is_stuck()) throw ProcessCrash{};
}

// On the writer's thread of the first process, while the thread that drives waits for it.
absl::Status World::BeforeBegin() {
  const bool meddles = setup_.minters == Minters::kTwoProcesses && second_ != nullptr &&
                       !second_->is_stuck() && is_working_ && !is_meddling_ && !disk_.IsOff() &&
                       !has_crashed_ && faults_.Strikes(Fault::kSecondMinter);
  if (!meddles) return absl::OkStatus();
  is_meddling_ = true;
  trace_.Note("  the other process works meanwhile");
  absl::Status status;
  try {
    const auto moved = second_->minter(0).WorkOnce();
    trace_.Note("  the other process: {}", absl::StatusCodeToString(moved.status().code()));
  } catch (const ProcessCrash&) {
    Crash();
    status = base::Unavailable("the machine crashed");
  }
  is_meddling_ = false;
  return status;
}

void World::PassTime(base::Duration duration) {
  clock_.Advance(duration);
  if (setup_.chain == FakeChain::Kind::kInstant) return;
  microseconds_to_block_ += duration.count();
  const std::int64_t blocks = microseconds_to_block_ / kBlockTime.count();
  microseconds_to_block_ %= kBlockTime.count();
  chain_.Grow(static_cast<int>(std::min(blocks, kBlocksAtATime)));
}

}  // namespace wattmint::simulation
