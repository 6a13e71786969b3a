// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulation.h"

#include "core/base/base58.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/mint/settlement.h"
#include "tests/simulation/violation.h"
#include "tests/simulation/world.h"

#include <algorithm>
#include <array>
#include <future>
#include <vector>

namespace wattmint::simulation {
namespace {

using domain::MintState;
using domain::MintTask;
using domain::Rejection;

constexpr int kSteps = 90;
// At all tasks as they are stored, which costs most: so many steps in trouble, and in the calm.
constexpr int kStepsPerLook = 3;
constexpr int kCalmStepsPerLook = 10;
constexpr int kCalmStepsMax = 1'500;
constexpr int kTriesMax = 100;
constexpr std::int64_t kSlots = 24;  // hours for which readings come
// What a meter sends when it does not know: it goes to quarantine, until somebody lets it pass.
constexpr auto kSentinel = domain::Energy::FromNanoKwh(32'767'000'000);
constexpr std::array<std::string_view, 3> kMeters{"M1", "M2", "M3"};

// No two users share a wallet.
std::string WalletOf(std::string_view user_id, std::uint64_t number) {
  const std::string name = fmt::format("wallet {} of {}", number, user_id);
  return base::EncodeBase58(base::Sha256(base::AsBytes(name)));
}

constexpr std::array<domain::Ratio, 6> kRatios{
    {{1, 1}, {1, 1}, {3, 2}, {1, 3}, {997, 1000}, {1, 1'000'000'000}}};

domain::MintLimits DrawLimits(base::RandomSource& random) {
  domain::MintLimits limits;
  limits.ratio = kRatios[random.NextBelow(kRatios.size())];
  limits.automatic = random.NextBelow(5) > 0;
  limits.batch_max = 1 + static_cast<int>(random.NextBelow(8));
  limits.in_work_max = random.NextBelow(3) == 0 ? 3 : 1'000;
  limits.attempts_max = 2 + static_cast<int>(random.NextBelow(4));
  limits.poll_interval = std::chrono::seconds(5);
  if (random.NextBelow(2) == 0) limits.claim_lease = std::chrono::seconds(8);  // less than a call
  if (random.NextBelow(3) == 0) limits.energy_max = domain::Energy::FromNanoKwh(15'000'000'000);
  if (random.NextBelow(3) == 0) {
    const bool is_low = random.NextBelow(3) == 0;  // below many a reading
    limits.day_energy_max = domain::Energy::FromNanoKwh(is_low ? 12'000'000'000 : 40'000'000'000);
  }
  return limits;
}

Minters DrawMinters(FaultMix& faults, base::RandomSource& random) {
  const bool apart = random.NextBelow(2) == 0;
  if (!faults.Has(Fault::kSecondMinter)) return Minters::kOne;
  if (!apart) return Minters::kTwoOnOneQueue;
  // After an error SQLite takes the truth from the files only when nobody has them open.
  for (const Fault fault : {Fault::kIoError, Fault::kSyncError, Fault::kDiskFull}) {
    faults.Remove(fault);
  }
  return Minters::kTwoProcesses;
}

template <typename T>
T Await(const std::function<void(std::function<void(T)>)>& call) {
  std::promise<T> promise;
  call([&promise](T value) { promise.set_value(std::move(value)); });
  return promise.get_future().get();
}

class Simulation {
 public:
  Simulation(std::uint64_t seed, const Settings& settings)
      : trace_(settings.prints),
        random_(seed),
        faults_(random_, settings.allowed_faults),
        limits_(DrawLimits(random_)),
        world_({.seed = seed,
                .limits = limits_,
                .minters = DrawMinters(faults_, random_),
                .chain = static_cast<FakeChain::Kind>(
                    std::min<std::uint64_t>(random_.NextBelow(5) / 2, 2))},
               faults_, random_, outcome_.coverage, trace_),
        now_(world_.clock().Now()) {}

  Outcome Run() {
    try {
      Trouble();
      Calm();
    } catch (const Violation& violation) {
      outcome_.violation = violation.what();
      trace_.Note("VIOLATION: {}", violation.what());
    }
    trace_.Mix(world_.disk().trace());
    outcome_.trace = trace_.digest();
    outcome_.events = world_.observer().events();
    for (const auto& [id, story] : world_.observer().stories()) outcome_.mints += story.is_minted;
    return outcome_;
  }

 private:
  struct Resubmission {
    std::string meter_id;
    domain::Time start{};
    domain::Energy energy;
  };

  std::uint64_t Below(std::uint64_t bound) { return random_.NextBelow(bound); }
  bool OneIn(std::uint64_t chances) { return Below(chances) == 0; }
  void Saw(Rare rare) { outcome_.coverage.Saw(rare); }

  void Trouble();
  void Calm();
  void Step();
  void BreakSomething();
  void Recover();
  void Check();

  // What clients do.
  void RegisterMeters();
  absl::Status Register(const std::string& meter_id, const std::string& user_id,
                        const std::string& wallet);
  absl::Status SetWallet(const std::string& meter_id, const std::string& wallet);
  void Submit();
  void Resubmit();
  domain::Energy DrawEnergy();
  domain::Reading DrawReading();
  void Spoil(domain::Reading& reading);
  void Send(const std::vector<domain::Reading>& readings);
  void Heed(const domain::Reading& reading, const ingest::Answer& answer);
  void ChangeMeter();
  void Poison(const domain::ReadingId& reading_id);
  void MintForeign();

  // What operators do.
  std::optional<MintTask> AnyTask();
  void MintByHand(std::int64_t task_id);
  absl::Status Retry(std::int64_t task_id);
  void SwitchMinting(bool paused);

  void PassTime();
  bool Work();
  std::vector<MintTask> Tasks();
  // Everybody names a wallet who has none, on the meters that wait for one or on a new one.
  void NameWallets();
  // Works until nothing is left to do.
  void FinishWork();
  static bool IsOpen(const MintTask& task);
  // Above what may be minted, so that no retry helps.
  bool IsAboveCap(const MintTask& task) const;
  void CheckParked(const MintTask& task);
  void CheckEnd();

  Outcome outcome_;
  Trace trace_;
  test::SeededRandom random_;
  FaultMix faults_;
  const domain::MintLimits limits_;
  World world_;
  const domain::Time now_;  // at the beginning
  std::vector<Resubmission> unanswered_;
  int disk_full_steps_ = 0;
  int step_ = 0;
  int checks_ = 0;
};

void Simulation::Trouble() {
  world_.Start();
  for (int tries = 1; !world_.registry().Find(kMeters.back()); ++tries) {
    Require(tries <= kTriesMax, "the meters cannot be registered");
    RegisterMeters();
    Recover();
  }
  for (step_ = 1; step_ <= kSteps; ++step_) {
    trace_.Note(
        "step {} at {} s", step_,
        std::chrono::duration_cast<std::chrono::seconds>(world_.clock().Now() - now_).count());
    BreakSomething();
    Step();
    Recover();
    Check();
  }
}

void Simulation::BreakSomething() {
  if (faults_.Strikes(Fault::kPowerCut)) {
    world_.Cut(1 + static_cast<std::int64_t>(Below(40)), World::Loss::kPower);
  }
  if (faults_.Strikes(Fault::kCrash)) {
    world_.Cut(1 + static_cast<std::int64_t>(Below(40)), World::Loss::kProcess);
  }
  if (disk_full_steps_ > 0 && --disk_full_steps_ == 0) world_.FillDisk(false);
  if (disk_full_steps_ == 0 && faults_.Strikes(Fault::kDiskFull)) {
    disk_full_steps_ = 1 + static_cast<int>(Below(5));
    world_.FillDisk(true);
    Saw(Rare::kDiskFull);
  }
  if (faults_.Strikes(Fault::kClockJump)) {
    const auto jump = std::chrono::seconds(Below(120)) - std::chrono::seconds(60);
    if (jump.count() < 0) Saw(Rare::kClockWentBack);
    world_.clock().SetNow(world_.clock().Now() + jump);
  }
}

void Simulation::Step() {
  const std::uint64_t drawn = Below(100);
  if (drawn < 20) {
    Submit();
  } else if (drawn < 25) {
    Resubmit();
  } else if (drawn < 62) {
    Work();
  } else if (drawn < 84) {
    PassTime();
  } else if (drawn < 89) {
    if (const auto task = AnyTask()) MintByHand(task->task_id);
  } else if (drawn < 93) {
    if (const auto task = AnyTask()) static_cast<void>(Retry(task->task_id));
  } else if (drawn < 96) {
    SwitchMinting(OneIn(3));
  } else if (drawn < 99) {
    ChangeMeter();
  } else {
    MintForeign();
  }
}

void Simulation::Recover() {
  if (!world_.MustRestart()) return;
  world_.Restart();
  world_.SuspendDiskFaults();
  world_.observer().CheckAfterRestart(world_.process().log(), world_.process().queries());
  world_.SetDiskFaults();
}

void Simulation::Check() {
  if (world_.MustRestart()) return;
  world_.SuspendDiskFaults();
  world_.observer().Watch(world_.process().log());
  if (++checks_ % (faults_.is_calm() ? kCalmStepsPerLook : kStepsPerLook) == 0)
    world_.observer().CheckTasks(Tasks());
  if (limits_.day_energy_max > domain::Energy()) {
    const auto energy =
        world_.process().queries().GetSignedEnergy(domain::DayOf(world_.clock().Now()));
    Require(energy.ok() && *energy <= limits_.day_energy_max, "{} kWh were signed in one day",
            energy.ok() ? energy->ToString() : "?");
  }
  world_.SetDiskFaults();
}

void Simulation::RegisterMeters() {
  for (std::size_t i = 0; i < kMeters.size(); ++i) {
    const std::string meter_id(kMeters[i]);
    const std::string user_id = i == 0 ? "alice" : "bob";
    if (!Register(meter_id, user_id, i == 2 && OneIn(2) ? "" : WalletOf(user_id, i)).ok()) return;
  }
}

absl::Status Simulation::Register(const std::string& meter_id, const std::string& user_id,
                                  const std::string& wallet) {
  return Await<absl::StatusOr<domain::Meter>>([&](auto done) {
           world_.process().registrar().Register(
               {.meter_id = meter_id, .user_id = user_id, .wallet_address = wallet}, done);
         })
      .status();
}

absl::Status Simulation::SetWallet(const std::string& meter_id, const std::string& wallet) {
  const auto anybody = [](const domain::Meter&) { return absl::OkStatus(); };
  return Await<absl::StatusOr<domain::Meter>>([&](auto done) {
           world_.process().registrar().SetWallet(meter_id, wallet, anybody, done);
         })
      .status();
}

domain::Energy Simulation::DrawEnergy() {
  if (OneIn(20)) return kSentinel;
  return domain::Energy::FromNanoKwh(
      1 + static_cast<std::int64_t>(Below(OneIn(4) ? 1'000'000'000 : 20'000'000'000)));
}

domain::Reading Simulation::DrawReading() {
  domain::Reading reading;
  reading.meter_id = kMeters[Below(kMeters.size())];
  reading.start = now_ - std::chrono::hours(1 + Below(kSlots));
  reading.length = std::chrono::hours(1);
  const auto& slot = world_.observer().SlotOf(reading.meter_id, reading.start);
  reading.energy = slot.accepted && !OneIn(4) ? slot.accepted->energy : DrawEnergy();
  return reading;
}

// Into one that must be refused.
void Simulation::Spoil(domain::Reading& reading) {
  switch (Below(4)) {
    case 0:
      reading.energy = domain::Energy::FromNanoKwh(-5);
      break;
    case 1:
      reading.energy = domain::Energy::FromNanoKwh(200'000'000'000);
      break;
    case 2:
      reading.meter_id = "unknown";
      break;
    default:
      reading.start = world_.clock().Now() + std::chrono::hours(5);
      break;
  }
}

void Simulation::Submit() {
  std::vector<domain::Reading> readings;
  for (std::uint64_t i = 0; i <= Below(4); ++i) {
    readings.push_back(DrawReading());
    if (OneIn(10)) Spoil(readings.back());
  }
  Send(readings);
}

void Simulation::Resubmit() {
  if (unanswered_.empty()) return;
  const std::size_t index = Below(unanswered_.size());
  domain::Reading reading;
  reading.meter_id = unanswered_[index].meter_id;
  reading.start = unanswered_[index].start;
  reading.length = std::chrono::hours(1);
  reading.energy = unanswered_[index].energy;
  unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(index));
  Send({reading});
}

void Simulation::Send(const std::vector<domain::Reading>& readings) {
  using Answers = absl::StatusOr<std::vector<ingest::Answer>>;
  std::vector<ingest::Candidate> candidates;
  for (const domain::Reading& reading : readings)
    candidates.push_back({reading, {}, reading.start});
  const Answers answers = Await<Answers>([&](auto done) {
    world_.process().pipeline().Submit({.user_id = "importer", .any_meter = true, .any_age = true},
                                       candidates, done);
  });
  trace_.Note("submit {}: {}", readings.size(), absl::StatusCodeToString(answers.status().code()));
  if (answers.ok()) {
    for (std::size_t i = 0; i < readings.size(); ++i) Heed(readings[i], (*answers)[i]);
    return;
  }
  Require(absl::IsUnavailable(answers.status()), "a submission failed: {}",
          answers.status().ToString());
  if (world_.disk().IsOff()) Saw(Rare::kPowerCutInCommit);
  for (const domain::Reading& reading : readings) {
    const bool is_good = reading.energy > domain::Energy() &&
                         reading.energy <= domain::ReadingLimits{}.energy_max &&
                         reading.meter_id != "unknown" && reading.start < now_;
    if (!is_good) continue;
    world_.observer()
        .SlotOf(reading.meter_id, reading.start)
        .unanswered.insert(reading.energy.nano_kwh());
    unanswered_.push_back({reading.meter_id, reading.start, reading.energy});
  }
}

void Simulation::Heed(const domain::Reading& reading, const ingest::Answer& answer) {
  auto& slot = world_.observer().SlotOf(reading.meter_id, reading.start);
  const bool was_unanswered = !slot.unanswered.empty();
  trace_.Note("  answer {} {}", static_cast<int>(answer.outcome), Name(answer.refusal.rejection));
  if (answer.outcome == ingest::Outcome::kAccepted) {
    Require(!slot.accepted, "a reading was accepted twice");
    slot.accepted = Observer::Accepted{*answer.reading_id, reading.energy};
    if (was_unanswered) Saw(Rare::kUnknownFoundAbsent);
    if (faults_.Strikes(Fault::kPoison)) Poison(*answer.reading_id);
  } else if (answer.outcome == ingest::Outcome::kExists) {
    if (slot.accepted) {
      Require(slot.accepted->energy == reading.energy &&
                  slot.accepted->reading_id == *answer.reading_id,
              "a repeated reading is answered as another");
      Saw(Rare::kRepeatedReading);
    } else {
      Require(slot.unanswered.contains(reading.energy.nano_kwh()),
              "a reading exists that was never submitted");
      slot.accepted = Observer::Accepted{*answer.reading_id, reading.energy};
      Saw(Rare::kUnknownFoundStored);
    }
  } else if (answer.refusal.rejection == Rejection::kExistsWithDifferentEnergy) {
    Require(slot.accepted ? slot.accepted->energy != reading.energy : was_unanswered,
            "a reading is refused for the sake of another that there is not");
    Saw(Rare::kRepeatedWithOtherEnergy);
  } else {
    Saw(Rare::kRejectedReading);
  }
}

void Simulation::Poison(const domain::ReadingId& reading_id) {
  world_.chain().Poisons(domain::IdempotencyKey(reading_id),
                         static_cast<FakeChain::Poison>(1 + Below(FakeChain::kPoisons)));
}

void Simulation::ChangeMeter() {
  const std::string meter_id(kMeters[Below(kMeters.size())]);
  const auto known = world_.registry().Find(meter_id);
  const bool transfers = OneIn(3);
  const std::string user_id = transfers ? (OneIn(2) ? "carol" : "dave") : known->user_id;
  const std::string wallet = OneIn(5) ? "" : WalletOf(user_id, Below(20));
  absl::Status status;
  if (transfers) {
    status = Await<absl::StatusOr<domain::Meter>>([&](auto done) {
               world_.process().registrar().Transfer(meter_id, user_id, wallet, done);
             }).status();
  } else {
    status = SetWallet(meter_id, wallet);
  }
  trace_.Note("{} of {}: {}", transfers ? "transfer" : "wallet", meter_id,
              absl::StatusCodeToString(status.code()));
  if (status.ok()) Saw(transfers ? Rare::kTransferred : Rare::kWalletChanged);
}

// Somebody who holds the mint authority uses the key of a reading, for less.
void Simulation::MintForeign() {
  if (!faults_.Has(Fault::kForeignMint) || world_.chain().kind() == FakeChain::Kind::kUnguarded) {
    return;
  }
  const auto task = AnyTask();
  if (!task) return;
  const std::string key = domain::IdempotencyKey(task->reading_id);
  if (task->state == MintState::kConfirmed || world_.chain().HeldFor(key).mints > 0) return;
  if (task->energy.nano_kwh() * limits_.ratio.numerator / limits_.ratio.denominator < 2) return;
  trace_.Note("foreign mint for task {}", task->task_id);
  world_.chain().MintForeign(key, WalletOf("mallory", 0), 1);
}

std::vector<MintTask> Simulation::Tasks() {
  auto tasks = world_.process().queries().ListTasks({.count_max = 1'000});
  return tasks.ok() ? *std::move(tasks) : std::vector<MintTask>();
}

std::optional<MintTask> Simulation::AnyTask() {
  std::vector<MintTask> tasks = Tasks();
  if (tasks.empty()) return std::nullopt;
  // Rather one that is set aside.
  for (const MintTask& task : tasks) {
    if (task.state == MintState::kParked && OneIn(2)) return task;
  }
  return tasks[Below(tasks.size())];
}

void Simulation::MintByHand(std::int64_t task_id) {
  const auto task = Await<absl::StatusOr<MintTask>>(
      [&](auto done) { world_.process().minter(0).MintByHand(task_id, done); });
  trace_.Note("mint task {} by hand: {}", task_id, absl::StatusCodeToString(task.status().code()));
  if (task.ok() && !limits_.automatic) Saw(Rare::kMintedByHand);
}

absl::Status Simulation::Retry(std::int64_t task_id) {
  const auto task = Await<absl::StatusOr<MintTask>>(
      [&](auto done) { world_.process().minter(0).Retry(task_id, done); });
  trace_.Note("retry task {}: {}", task_id, absl::StatusCodeToString(task.status().code()));
  return task.status();
}

void Simulation::SwitchMinting(bool paused) {
  const absl::Status status = Await<absl::Status>([&](auto done) {
    if (paused) {
      world_.process().minter(0).Pause("for a test", done);
    } else {
      world_.process().minter(0).Resume(done);
    }
  });
  trace_.Note("{}: {}", paused ? "pause" : "resume", absl::StatusCodeToString(status.code()));
}

void Simulation::PassTime() {
  const std::uint64_t drawn = Below(100);
  base::Duration duration = std::chrono::milliseconds(100 + Below(3'000));
  if (drawn >= 60) duration = std::chrono::milliseconds(3'000 + Below(20'000));
  if (drawn >= 90) duration = std::chrono::seconds(20 + Below(100));
  if (drawn >= 98) duration = std::chrono::hours(6 + Below(20));
  trace_.Note("{} ms pass", duration.count() / 1'000);
  world_.PassTime(duration);
}

bool Simulation::Work() {
  const std::size_t minter = world_.minters() == 1 ? 0 : Below(2);
  const auto moved = world_.Work(minter);
  trace_.Note("minter {} worked: {} {}", minter, absl::StatusCodeToString(moved.status().code()),
              moved.value_or(false));
  return moved.value_or(false);
}

bool Simulation::IsOpen(const MintTask& task) {
  switch (task.state) {
    case MintState::kPending:
    case MintState::kClaimed:
    case MintState::kSigned:
    case MintState::kSubmitted:
      return true;
    default:
      return false;
  }
}

bool Simulation::IsAboveCap(const MintTask& task) const {
  const bool has_day_cap = limits_.day_energy_max > domain::Energy();
  return task.energy > limits_.energy_max || (has_day_cap && task.energy > limits_.day_energy_max);
}

void Simulation::FinishWork() {
  for (int i = 0; i < kCalmStepsMax; ++i) {
    Require(!world_.MustRestart(), "trouble in the calm");
    base::Duration wait = std::chrono::milliseconds(500);
    const bool moved = Work();
    Check();
    if (!moved) {
      const auto due = world_.process().queries().FindNextDue(false);
      Require(due.ok(), "nobody knows what is due: {}", due.status().ToString());
      if (!*due) return;
      wait = std::max(wait, **due - world_.clock().Now());
    }
    world_.PassTime(wait);
  }
  for (const MintTask& task : Tasks()) {
    Require(!IsOpen(task), "never finished: task {} is {}, {}", task.task_id, Name(task.state),
            task.reason);
  }
}

void Simulation::Calm() {
  trace_.Note("calm");
  faults_.Calm();
  world_.FillDisk(false);
  world_.Restart();
  world_.observer().CheckAfterRestart(world_.process().log(), world_.process().queries());
  NameWallets();
  for (std::size_t i = unanswered_.size(); i > 0; --i) Resubmit();
  Require(unanswered_.empty(), "a submission has no answer in the calm");
  Check();
  SwitchMinting(false);
  for (const MintTask& task : Tasks()) MintByHand(task.task_id);
  FinishWork();
  for (const MintTask& task : Tasks()) {
    const auto poison = world_.chain().PoisonOf(domain::IdempotencyKey(task.reading_id));
    Require(poison == FakeChain::Poison::kNone || !IsOpen(task), "poisoned task {} is {}",
            task.task_id, Name(task.state));
    if (task.state == MintState::kParked) CheckParked(task);
  }
  world_.chain().ForgetPoison();
  for (const MintTask& task : Tasks()) {
    if (task.state != MintState::kParked) continue;
    const absl::Status status = Retry(task.task_id);
    Require(status.ok(), "task {} cannot be retried: {}", task.task_id, status.ToString());
  }
  FinishWork();
  Check();
  CheckEnd();
}

void Simulation::NameWallets() {
  for (const domain::Meter& meter : world_.registry().List("", "", kMeters.size())) {
    if (!meter.wallet_address.empty()) continue;
    const absl::Status status = SetWallet(meter.meter_id, WalletOf(meter.user_id, 20));
    Require(status.ok(), "no wallet for {}: {}", meter.meter_id, status.ToString());
  }
  for (const std::string user_id : {"alice", "bob", "carol", "dave"}) {
    if (!world_.registry().WalletsOf(user_id).empty()) continue;
    const absl::Status status = Register("of-" + user_id, user_id, WalletOf(user_id, 21));
    Require(status.ok(), "no meter for {}: {}", user_id, status.ToString());
  }
}

void Simulation::CheckEnd() {
  const std::string file = world_.CheckFile();
  Require(file == "ok", "the file is broken: {}", file);
  const std::vector<MintTask> tasks = Tasks();
  world_.observer().CheckTasks(tasks);
  for (const MintTask& task : tasks) {
    const bool is_foreign = world_.chain().IsForeign(domain::IdempotencyKey(task.reading_id));
    const bool is_parked = task.state == MintState::kParked;
    Require(task.state == MintState::kConfirmed || task.state == MintState::kNotApplicable ||
                (is_parked && (is_foreign || IsAboveCap(task))),
            "task {} ends as {}: {}", task.task_id, Name(task.state), task.reason);
    Require(!IsAboveCap(task) || task.state != MintState::kConfirmed,
            "task {} of {} kWh was minted above a cap", task.task_id, task.energy.ToString());
  }
  world_.observer().CheckAtEnd(world_.process().queries(), tasks);
}

// Whether there is a reason for a person to look at it.
void Simulation::CheckParked(const MintTask& task) {
  const std::string key = domain::IdempotencyKey(task.reading_id);
  const auto poison = world_.chain().PoisonOf(key);
  const auto says = [&task](std::string_view code) { return task.reason.starts_with(code); };
  const bool is_justified =
      (says("CAP_PER_DAY") && IsAboveCap(task)) ||
      (says("CAP_PER_READING") && task.energy > limits_.energy_max) ||
      (says("QUARANTINE_SENTINEL") && task.energy == kSentinel) ||
      (says("CONFLICT") && world_.chain().IsForeign(key)) ||
      (says("LEDGER_REFUSED") && poison == FakeChain::Poison::kRefusedForGood) ||
      (says("SIGNER_REFUSED") && poison == FakeChain::Poison::kNotSigned) ||
      (says("ATTEMPTS_USED_UP") &&
       (poison == FakeChain::Poison::kRefusedEachTime ||
        poison == FakeChain::Poison::kRefusedOnceTaken || faults_.HasEver(Fault::kRefusal))) ||
      (says("EXPIRED") && task.attempts >= limits_.attempts_max) ||
      (says("LEASE_EXPIRED") && task.attempts >= limits_.attempts_max);
  Require(is_justified, "task {} is parked for no good reason: {}", task.task_id, task.reason);
}

}  // namespace

Outcome Simulate(std::uint64_t seed, const Settings& settings) {
  return Simulation(seed, settings).Run();
}

}  // namespace wattmint::simulation
