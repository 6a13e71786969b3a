// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/durability_model.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <map>
#include <tuple>

namespace wattmint::storage {
namespace {

using domain::MintState;

constexpr int kAll = 100'000;

#define WATTMINT_EXPECT_SAME(found, expected, ...)                             \
  do {                                                                         \
    if (!((found) == (expected))) return base::DataLoss("other " __VA_ARGS__); \
  } while (false)

absl::Status CheckLog(store::EventLog& log, const ExpectedDatabase& expected) {
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, log.GetBounds());
  const auto count = static_cast<std::int64_t>(expected.events.size());
  WATTMINT_EXPECT_SAME(bounds.last, count, "last sequence: {}, not {}", bounds.last, count);
  WATTMINT_EXPECT_SAME(bounds.first, 1, "first sequence: {}", bounds.first);
  if (!expected.epoch.empty()) WATTMINT_EXPECT_SAME(bounds.epoch, expected.epoch, "epoch");
  WATTMINT_ASSIGN_OR_RETURN(const auto events, log.Read(1, kAll, std::size_t{1} << 30));
  WATTMINT_EXPECT_SAME(events.size(), expected.events.size(), "number of events: {}",
                       events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto sequence = static_cast<std::int64_t>(i) + 1;
    WATTMINT_EXPECT_SAME(events[i].sequence, sequence, "sequence at {}", sequence);
    WATTMINT_EXPECT_SAME(events[i].payload, expected.events[i], "event at {}", sequence);
  }
  return absl::OkStatus();
}

auto Changeable(const domain::MintTask& task) {
  return std::tie(task.state, task.tokens, task.wallet_address, task.signed_bytes,
                  task.transaction_signature, task.expiry_height, task.batch_id, task.attempts,
                  task.reason);
}

absl::Status CheckReadings(store::Queries& queries, const ExpectedDatabase& expected) {
  store::ReadingQuery query;
  query.count_max = kAll;
  WATTMINT_ASSIGN_OR_RETURN(const auto readings, queries.ListReadings(query));
  WATTMINT_EXPECT_SAME(readings.size(), expected.readings.size(), "number of readings: {}, not {}",
                       readings.size(), expected.readings.size());
  std::map<std::int64_t, MintState> states;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const domain::AcceptedReading& found = readings[i];
    const ExpectedDatabase::Reading& reading = expected.readings[i];
    WATTMINT_EXPECT_SAME(found.row, static_cast<std::int64_t>(i) + 1, "row at {}", i + 1);
    WATTMINT_EXPECT_SAME(found.reading.meter_id, reading.meter.meter_id, "meter in row {}", i + 1);
    WATTMINT_EXPECT_SAME(found.reading.start, reading.reading.start, "start in row {}", i + 1);
    WATTMINT_EXPECT_SAME(found.reading.energy, reading.reading.energy, "energy in row {}", i + 1);
    WATTMINT_EXPECT_SAME(found.user_id, reading.meter.user_id, "user in row {}", i + 1);
    const MintState state = reading.task ? reading.task->state : MintState::kNotApplicable;
    WATTMINT_EXPECT_SAME(found.mint_state, state, "state in row {}", i + 1);
  }
  return absl::OkStatus();
}

absl::Status CheckTasks(store::Queries& queries, const ExpectedDatabase& expected) {
  store::TaskQuery query;
  query.count_max = kAll;
  WATTMINT_ASSIGN_OR_RETURN(const auto tasks, queries.ListTasks(query));
  auto found = tasks.begin();
  store::TaskSums sums;
  for (const ExpectedDatabase::Reading& reading : expected.readings) {
    if (!reading.task) continue;
    const domain::MintTask& task = *reading.task;
    const bool same = found != tasks.end() && found->task_id == task.task_id &&
                      Changeable(*found) == Changeable(task);
    if (!same) return base::DataLoss("other mint task {}", task.task_id);
    ++found;
    sums.open += task.state < MintState::kConfirmed ? 1 : 0;
    sums.parked += task.state == MintState::kParked ? 1 : 0;
    if (task.state != MintState::kConfirmed) continue;
    ++sums.confirmed;
    sums.confirmed_base_units += task.tokens.base_units();
    sums.confirmed_nano_kwh += reading.reading.energy.nano_kwh();
  }
  if (found != tasks.end()) return base::DataLoss("mint task {} too many", found->task_id);
  WATTMINT_ASSIGN_OR_RETURN(const store::TaskSums stored, queries.SumTasks());
  WATTMINT_EXPECT_SAME(stored.open, sums.open, "number of open tasks");
  WATTMINT_EXPECT_SAME(stored.parked, sums.parked, "number of parked tasks");
  WATTMINT_EXPECT_SAME(stored.confirmed, sums.confirmed, "number of confirmed tasks");
  WATTMINT_EXPECT_SAME(stored.confirmed_base_units, sums.confirmed_base_units, "sum of tokens");
  WATTMINT_EXPECT_SAME(stored.confirmed_nano_kwh, sums.confirmed_nano_kwh, "sum of minted energy");
  return absl::OkStatus();
}

absl::Status CheckMeters(Database& database, const ExpectedDatabase& expected) {
  store::Queries& queries = database.queries();
  WATTMINT_ASSIGN_OR_RETURN(const auto meters, queries.LoadMeters());
  WATTMINT_EXPECT_SAME(meters, expected.meters, "meters");
  WATTMINT_ASSIGN_OR_RETURN(const auto switched, queries.GetSwitch(kSwitch));
  WATTMINT_EXPECT_SAME(switched.value_or(""), expected.switch_value, "switch");
  std::map<std::string, store::MeterSums> sums;
  for (const ExpectedDatabase::Reading& reading : expected.readings) {
    store::MeterSums& sum = sums[reading.meter.meter_id];
    ++sum.readings;
    sum.energy_nano_kwh += reading.reading.energy.nano_kwh();
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto stored, queries.SumReadings("", ""));
  for (const store::MeterSums& sum : stored) {
    const store::MeterSums& own = sums[sum.meter_id];
    WATTMINT_EXPECT_SAME(sum.readings, own.readings, "number of readings of {}", sum.meter_id);
    WATTMINT_EXPECT_SAME(sum.energy_nano_kwh, own.energy_nano_kwh, "energy of {}", sum.meter_id);
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto transaction, database.journal().Begin());
  for (std::size_t i = 0; i < meters.size(); ++i) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Remainder remainder,
                              transaction->GetRemainder(meters[i].meter_id));
    WATTMINT_EXPECT_SAME(remainder, expected.remainders[i], "remainder of {}", meters[i].meter_id);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckDatabase(Database& database, const ExpectedDatabase& expected) {
  WATTMINT_RETURN_IF_ERROR(CheckLog(database.event_log(), expected));
  WATTMINT_RETURN_IF_ERROR(CheckReadings(database.queries(), expected));
  WATTMINT_RETURN_IF_ERROR(CheckTasks(database.queries(), expected));
  return CheckMeters(database, expected);
}

absl::Status CheckBook(store::LedgerBook& book, const ExpectedBook& expected) {
  if (!expected.ledger_id.empty()) {
    WATTMINT_EXPECT_SAME(book.ledger_id(), expected.ledger_id, "ledger id");
  }
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book.GetHead());
  const auto height = static_cast<std::int64_t>(expected.entries.size());
  WATTMINT_EXPECT_SAME(head.height, height, "height: {}, not {}", head.height, height);
  WATTMINT_ASSIGN_OR_RETURN(const auto entries, book.Read(1, kAll));
  WATTMINT_EXPECT_SAME(entries.size(), expected.entries.size(), "number of entries");
  std::map<std::string, std::int64_t> balances;
  std::int64_t supply = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const store::LedgerEntry& entry = expected.entries[i];
    const auto content = [](const store::LedgerEntry& e) {
      return std::tie(e.height, e.idempotency_key, e.wallet_address, e.tokens, e.signed_bytes,
                      e.signature, e.time, e.previous_hash, e.hash);
    };
    WATTMINT_EXPECT_SAME(content(entries[i]), content(entry), "entry {}", entry.height);
    balances[entry.wallet_address] += entry.tokens.base_units();
    supply += entry.tokens.base_units();
  }
  WATTMINT_EXPECT_SAME(head.supply.base_units(), supply, "supply");
  for (const auto& [wallet, balance] : balances) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::TokenAmount stored, book.GetBalance(wallet));
    WATTMINT_EXPECT_SAME(stored.base_units(), balance, "balance of {}", wallet);
  }
  return absl::OkStatus();
}

}  // namespace wattmint::storage
