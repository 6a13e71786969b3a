// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/durability_world.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/sqlite_status.h"
#include "tests/storage/storage_fixture.h"

#include <fmt/core.h>

#include <utility>

namespace wattmint::storage {
namespace {

using domain::MintState;
using Expected = ExpectedDatabase;

constexpr std::size_t kMetersMax = 3;
constexpr std::int64_t kRoom = 1'000'000'000;  // bytes, more than a world ever needs

std::size_t ChangesIn(const ExpectedDatabase& expected) { return expected.events.size(); }
std::size_t ChangesIn(const ExpectedBook& expected) { return expected.entries.size(); }

// Tells by the number of changes found whether what was possible happened.
template <typename Knowledge>
void Settle(Knowledge& knowledge, std::int64_t changes, DurabilityWorld::Counts& counts) {
  if (!knowledge.possible) return;
  const bool found = static_cast<std::int64_t>(ChangesIn(*knowledge.possible)) == changes;
  ++(found ? counts.found : counts.gone);
  if (found) knowledge.certain = *std::move(knowledge.possible);
  knowledge.possible.reset();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> BeginReading(const ConnectionOptions& options) {
  WATTMINT_ASSIGN_OR_RETURN(auto connection, Connection::Open(options, Access::kRead));
  return Guarded("reading", [&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    connection->database().exec("BEGIN");
    connection->database().execAndGet("SELECT count(*) FROM sqlite_schema");
    return std::move(connection);
  });
}

DurabilityWorld::Counts& DurabilityWorld::Counts::operator+=(const Counts& other) {
  power_cuts += other.power_cuts;
  power_cuts_while_opening += other.power_cuts_while_opening;
  deaths += other.deaths;
  clean_ends += other.clean_ends;
  commits += other.commits;
  failed_commits += other.failed_commits;
  found += other.found;
  gone += other.gone;
  reopened_beside_reader += other.reopened_beside_reader;
  disk_errors += other.disk_errors;
  return *this;
}

DurabilityWorld::DurabilityWorld(std::uint64_t seed, Plant plant)
    : random_(seed), plant_(plant), disk_(seed + 1), vfs_("durability", disk_) {
  options_.connection.path = "wattmint.db";
  options_.connection.vfs = vfs_.name();
  options_.connection.checkpoint_pages = static_cast<int>(2 + Draw(40));
  // A small cache spills pages of an open transaction into the log.
  options_.connection.cache_kib = OneIn(2) ? 40 : 2'000;
  options_.readers = OneIn(10) ? 3 : 1;
  book_options_ = options_.connection;
  book_options_.path = "ledger.db";
  DrawFaults(plant);
}

std::int64_t DurabilityWorld::Draw(std::uint64_t bound) {
  return static_cast<std::int64_t>(random_.NextBelow(bound));
}

std::string DurabilityWorld::DrawBytes() {
  const std::size_t size = random_.NextBelow(OneIn(20) ? 9'000 : 300);
  return std::string(size, static_cast<char>('a' + Draw(26)));
}

// Half of the worlds have disks that only lose power; the others each have a mix of their own.
void DurabilityWorld::DrawFaults(Plant plant) {
  if (OneIn(2)) {
    if (OneIn(3)) faults_.read_errors_ppm = 2'000;
    if (OneIn(2)) faults_.write_errors_ppm = 20'000;
    if (OneIn(2)) faults_.sync_errors_ppm = 50'000;
    fills_up_ = OneIn(4);
  }
  if (plant == Plant::kNoSync) faults_.sync_lies = [](std::string_view) { return true; };
  if (plant == Plant::kNoLogSync) {
    faults_.sync_lies = [](std::string_view name) { return name.ends_with("-wal"); };
  }
  if (plant == Plant::kNoFileSync) {
    faults_.sync_lies = [](std::string_view name) { return name.ends_with(".db"); };
  }
  if (plant == Plant::kNoDirectorySync) {
    faults_.sync_lies = [](std::string_view name) { return name.empty(); };
  }
}

test::SimDisk::Faults DurabilityWorld::Calm() const {
  test::SimDisk::Faults calm;
  calm.sync_lies = faults_.sync_lies;
  return calm;
}

absl::Status DurabilityWorld::Run() {
  const absl::Status status = Live();
  counts_.disk_errors = disk_.errors();
  Close();
  return status;
}

absl::Status DurabilityWorld::Live() {
  disk_.faults() = faults_;
  WATTMINT_RETURN_IF_ERROR(OpenAtLast());
  WATTMINT_RETURN_IF_ERROR(Check());
  for (int round = 0; round < kRounds; ++round) {
    if (!OneIn(4)) disk_.CutAfter(1 + Draw(OneIn(2) ? 10 : 60));
    if (fills_up_) disk_.faults().bytes_max = OneIn(2) ? kRoom : 100'000 + Draw(400'000);
    if (!disk_.IsOff() && OneIn(4)) WATTMINT_RETURN_IF_ERROR(LetSomebodyRead());
    WATTMINT_RETURN_IF_ERROR(Work());
    WATTMINT_RETURN_IF_ERROR(EndAndBegin());
  }
  Close();
  return CheckIntegrity();
}

absl::Status DurabilityWorld::LetSomebodyRead() {
  const test::SimDisk::Faults faults = std::exchange(disk_.faults(), Calm());
  for (const ConnectionOptions& options : {options_.connection, book_options_}) {
    WATTMINT_ASSIGN_OR_RETURN(others_.emplace_back(), BeginReading(options));
  }
  disk_.faults() = faults;
  return absl::OkStatus();
}

absl::Status DurabilityWorld::Work() {
  for (std::int64_t steps = 1 + Draw(10); steps > 0 && !disk_.IsOff(); --steps) {
    const absl::Status status = OneIn(3) ? Append() : Change();
    if (absl::IsDataLoss(status)) return status;
    if (!status.ok()) WATTMINT_RETURN_IF_ERROR(Mend());
  }
  return absl::OkStatus();
}

absl::Status DurabilityWorld::Change() {
  WATTMINT_ASSIGN_OR_RETURN(auto transaction, database_->journal().Begin());
  Expected next = wattmint_.certain;
  const std::int64_t steps = 1 + Draw(6);
  for (std::int64_t step = 0; step < steps; ++step) {
    WATTMINT_RETURN_IF_ERROR(ChangeOnce(*transaction, next));
    if (plant_ == Plant::kCommitsHalf && step == 0) {
      WATTMINT_RETURN_IF_ERROR(transaction->Commit());
      transaction.reset();
      WATTMINT_ASSIGN_OR_RETURN(transaction, database_->journal().Begin());
    }
  }
  if (plant_ != Plant::kCommitsHalf && OneIn(10)) return absl::OkStatus();  // rolls back
  wattmint_.possible = next;
  if (plant_ == Plant::kAcknowledgesEarly) wattmint_.certain = next;
  const absl::Status status = transaction->Commit();
  ++(status.ok() ? counts_.commits : counts_.failed_commits);
  WATTMINT_RETURN_IF_ERROR(status);
  wattmint_.certain = std::move(next);
  wattmint_.possible.reset();
  return absl::OkStatus();
}

// Each change has an event, so that the number of events tells how many there were.
absl::Status DurabilityWorld::ChangeOnce(store::Transaction& transaction, Expected& next) {
  const std::int64_t kind = Draw(10);
  if (next.meters.empty() || (kind == 0 && next.meters.size() < kMetersMax)) {
    WATTMINT_RETURN_IF_ERROR(InsertMeter(transaction, next));
  } else if (kind == 1) {
    WATTMINT_RETURN_IF_ERROR(UpdateMeter(transaction, next));
  } else if (kind == 2) {
    next.switch_value = OneIn(2) ? "" : DrawBytes();
    WATTMINT_RETURN_IF_ERROR(transaction.SetSwitch(kSwitch, next.switch_value));
  } else if (kind < 6 && !next.readings.empty()) {
    WATTMINT_RETURN_IF_ERROR(UpdateTask(transaction, next));
  } else {
    WATTMINT_RETURN_IF_ERROR(InsertReading(transaction, next));
  }
  next.events.push_back(DrawBytes());
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t sequence,
                            transaction.AppendEvent(next.events.back()));
  if (sequence == static_cast<std::int64_t>(next.events.size())) return absl::OkStatus();
  return base::DataLoss("sequence {} was drawn for event {}", sequence, next.events.size());
}

absl::Status DurabilityWorld::InsertMeter(store::Transaction& transaction, Expected& next) {
  domain::Meter meter{
      0, fmt::format("m{}", next.meters.size() + 1), "ada", "wallet-ada", AtMinute(0), AtMinute(0)};
  WATTMINT_ASSIGN_OR_RETURN(meter.meter_ref, transaction.InsertMeter(meter));
  next.meters.push_back(meter);
  next.remainders.emplace_back();
  return absl::OkStatus();
}

absl::Status DurabilityWorld::UpdateMeter(store::Transaction& transaction, Expected& next) {
  const std::size_t index = random_.NextBelow(next.meters.size());
  domain::Meter& meter = next.meters[index];
  meter.user_id = OneIn(2) ? "ada" : "bob";
  meter.wallet_address = "wallet-" + meter.user_id;
  next.remainders[index] = {Draw(1'000), 1'000};
  WATTMINT_RETURN_IF_ERROR(transaction.UpdateMeter(meter));
  return transaction.SetRemainder(meter.meter_id, next.remainders[index]);
}

absl::Status DurabilityWorld::InsertReading(store::Transaction& transaction, Expected& next) {
  const domain::Meter& meter = next.meters[random_.NextBelow(next.meters.size())];
  const auto row = static_cast<std::int64_t>(next.readings.size()) + 1;
  Expected::Reading reading{meter, Interval(meter.meter_id, 15 * row, 15, 1 + Draw(9)), {}};
  if (OneIn(3)) reading.reading.request_id = fmt::format("request-{}", row);
  const MintState state = OneIn(5) ? MintState::kNotApplicable : MintState::kPending;
  WATTMINT_ASSIGN_OR_RETURN(
      const domain::ReadingId id,
      transaction.InsertReading(meter, reading.reading, state, AtMinute(15 * row + 20)));
  if (id.row() != row) return base::DataLoss("row {} was drawn for reading {}", id.row(), row);
  if (state == MintState::kPending) reading.task.emplace().task_id = row;
  next.readings.push_back(std::move(reading));
  return absl::OkStatus();
}

absl::Status DurabilityWorld::UpdateTask(store::Transaction& transaction, Expected& next) {
  auto& task = next.readings[random_.NextBelow(next.readings.size())].task;
  if (!task) return absl::OkStatus();
  const MintState before = task->state;
  task->state = static_cast<MintState>(1 + Draw(7));
  task->tokens = domain::TokenAmount::FromBaseUnits(Draw(1'000'000));
  task->signed_bytes = DrawBytes();
  task->transaction_signature = fmt::format("signature-{}", Draw(1'000));
  task->batch_id = fmt::format("batch-{}", Draw(1'000));
  task->attempts = static_cast<std::int32_t>(Draw(9));
  task->reason = OneIn(3) ? DrawBytes() : "";
  WATTMINT_ASSIGN_OR_RETURN(const bool changed, transaction.UpdateTask(*task, before));
  if (changed) return absl::OkStatus();
  return base::DataLoss("mint task {} is not {}", task->task_id, domain::Name(before));
}

absl::Status DurabilityWorld::Append() {
  ExpectedBook next = ledger_.certain;
  const std::size_t known = next.entries.size();
  for (std::int64_t count = 1 + Draw(4); count > 0; --count) {
    store::LedgerEntry entry;
    entry.height = static_cast<std::int64_t>(next.entries.size()) + 1;
    entry.idempotency_key = fmt::format("key-{}", entry.height);
    entry.wallet_address = fmt::format("wallet-{}", Draw(3));
    entry.tokens = domain::TokenAmount::FromBaseUnits(Draw(1'000'000));
    entry.signed_bytes = DrawBytes();
    random_.Fill(entry.signature);
    if (!next.entries.empty()) entry.previous_hash = next.entries.back().hash;
    random_.Fill(entry.hash);
    next.entries.push_back(std::move(entry));
  }
  ledger_.possible = next;
  if (plant_ == Plant::kAcknowledgesEarly) ledger_.certain = next;
  const absl::Status status = book_->Append(std::span(next.entries).subspan(known));
  ++(status.ok() ? counts_.commits : counts_.failed_commits);
  WATTMINT_RETURN_IF_ERROR(status);
  ledger_.certain = std::move(next);
  ledger_.possible.reset();
  return absl::OkStatus();
}

absl::Status DurabilityWorld::Mend() {
  for (int attempt = 0; attempt < 5 && !disk_.IsOff(); ++attempt) {
    if (!database_->journal().Reopen().ok()) continue;
    counts_.reopened_beside_reader += others_.empty() ? 0 : 1;
    return Check();
  }
  disk_.Cut();
  return absl::OkStatus();
}

absl::Status DurabilityWorld::EndAndBegin() {
  const bool clean = !disk_.IsOff() && OneIn(2);
  if (!clean) disk_.Cut();
  Close();
  const bool power_goes = !OneIn(6);
  if (power_goes && disk_.IsOff()) {
    ++counts_.power_cuts;
    disk_.PowerUp();
  } else {
    ++(disk_.IsOff() ? counts_.deaths : counts_.clean_ends);
    disk_.Restart();
  }
  WATTMINT_RETURN_IF_ERROR(OpenAtLast());
  return Check();
}

void DurabilityWorld::Close() {
  if (OneIn(2)) others_.clear();
  database_.reset();
  book_.reset();
  others_.clear();
}

absl::Status DurabilityWorld::Open() {
  WATTMINT_ASSIGN_OR_RETURN(database_, Database::Open(options_));
  WATTMINT_ASSIGN_OR_RETURN(book_, SqliteLedgerBook::Open(book_options_));
  return absl::OkStatus();
}

absl::Status DurabilityWorld::OpenAtLast() {
  absl::Status status;
  for (int attempt = 1; attempt < 10; ++attempt) {
    if (attempt == 5) disk_.faults() = Calm();
    if (attempt < 5 && OneIn(2)) disk_.CutAfter(1 + Draw(OneIn(4) ? 150 : 15));
    status = Open();
    if (status.ok()) break;
    Close();
    if (!disk_.IsOff()) continue;
    ++counts_.power_cuts;
    ++counts_.power_cuts_while_opening;
    disk_.PowerUp();
  }
  disk_.faults() = faults_;
  return status;
}

// No error strikes while we look; but opening the ledger again may meet a cut that is due.
absl::Status DurabilityWorld::Check() {
  const test::SimDisk::Faults faults = std::exchange(disk_.faults(), Calm());
  const absl::Status status = Look();
  disk_.faults() = faults;
  return disk_.IsOff() && !absl::IsDataLoss(status) ? absl::OkStatus() : status;
}

absl::Status DurabilityWorld::Look() {
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, database_->event_log().GetBounds());
  Settle(wattmint_, bounds.last, counts_);
  WATTMINT_RETURN_IF_ERROR(CheckDatabase(*database_, wattmint_.certain));
  wattmint_.certain.epoch = bounds.epoch;
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book_->GetHead());
  Settle(ledger_, head.height, counts_);
  WATTMINT_RETURN_IF_ERROR(CheckBook(*book_, ledger_.certain));
  ledger_.certain.ledger_id = book_->ledger_id();
  return absl::OkStatus();
}

absl::Status DurabilityWorld::CheckIntegrity() {
  disk_.faults() = Calm();
  disk_.Restart();
  for (const ConnectionOptions& options : {options_.connection, book_options_}) {
    WATTMINT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(options, Access::kRead));
    const std::string found =
        connection->database().execAndGet("PRAGMA integrity_check").getString();
    if (found != "ok") return base::DataLoss("{}: {}", options.path, found);
  }
  return absl::OkStatus();
}

}  // namespace wattmint::storage
