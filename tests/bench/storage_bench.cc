// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"
#include "storage/database.h"
#include "tests/support/temp_dir.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <vector>

// Stores readings, each with its mint task and one event, through store::Transaction, and beside
// it the same rows into the same tables with the same commits by a bare loop over SQLite's C
// interface. Rounds alternate; the ratio of the medians is what carries over to other machines.
//   storage_bench [readings in a round] [meters] [readings in a commit]
namespace wattmint::storage {
namespace {

constexpr int kRounds = 5;
constexpr std::size_t kPayloadBytes = 200;  // measured: a MeterReadingReceived with its ids

struct Workload {
  std::int64_t readings = 500'000;
  std::int64_t meters = 1'000;
  std::int64_t commit = 8'192;
};

struct Cost {
  double wall_seconds = 0;
  double cpu_seconds = 0;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename Work>
Cost Measure(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_begin = CpuSeconds();
  work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return {wall.count(), CpuSeconds() - cpu_begin};
}

domain::Meter MeterOf(std::int64_t number) {
  return {number,
          fmt::format("meter-{}", number),
          fmt::format("user-{}", number % 100),
          fmt::format("wallet-of-44-characters-as-on-solana-{:07}", number % 100),
          {},
          {}};
}

// Meters take turns, as they do in life: each reports its quarter of an hour.
domain::Reading ReadingOf(const Workload& workload, std::int64_t number) {
  domain::Reading reading;
  reading.start = domain::Time(std::chrono::minutes(28'000'000 + 15 * (number / workload.meters)));
  reading.length = std::chrono::minutes(15);
  reading.energy = domain::Energy::FromNanoKwh(1'000'000'000 + number % 1'000'000);
  return reading;
}

template <typename T>
T Value(absl::StatusOr<T> result) {
  WATTMINT_ASSERT(result.ok(), "{}", result.status().ToString());
  return *std::move(result);
}

std::unique_ptr<Database> OpenWithMeters(const std::string& path, const Workload& workload) {
  Database::Options options;
  options.connection.path = path;
  auto database = Value(Database::Open(options));
  auto transaction = Value(database->journal().Begin());
  for (std::int64_t i = 1; i <= workload.meters; ++i) Value(transaction->InsertMeter(MeterOf(i)));
  WATTMINT_ASSERT(transaction->Commit().ok(), "meters");
  return database;
}

void StoreByTransaction(Database& database, const Workload& workload, const std::string& payload) {
  std::vector<domain::Meter> meters;
  for (std::int64_t i = 1; i <= workload.meters; ++i) meters.push_back(MeterOf(i));
  for (std::int64_t number = 0; number < workload.readings;) {
    auto transaction = Value(database.journal().Begin());
    const std::int64_t end = std::min(number + workload.commit, workload.readings);
    for (; number < end; ++number) {
      const domain::Reading reading = ReadingOf(workload, number);
      const auto& meter = meters[static_cast<std::size_t>(number % workload.meters)];
      Value(transaction->InsertReading(meter, reading, domain::MintState::kPending, reading.end()));
      Value(transaction->AppendEvent(payload));
    }
    WATTMINT_ASSERT(transaction->Commit().ok(), "commit");
  }
}

class BareLoop {
 public:
  explicit BareLoop(const std::string& path) {
    Check(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
    for (const char* pragma : {"PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 4096",
                               "PRAGMA cache_size = -32768"}) {
      Check(sqlite3_exec(database_, pragma, nullptr, nullptr, nullptr));
    }
    reading_ = Prepare("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    task_ = Prepare(
        "INSERT INTO mint_tasks (task_id, next_attempt, update_time)"
        " VALUES (?, ?2, ?2)");
    event_ = Prepare("INSERT INTO events VALUES (?, ?)");
    begin_ = Prepare("BEGIN IMMEDIATE");
    commit_ = Prepare("COMMIT");
  }
  ~BareLoop() {
    for (sqlite3_stmt* statement : {reading_, task_, event_, begin_, commit_}) {
      sqlite3_finalize(statement);
    }
    sqlite3_close(database_);
  }

  void Store(const Workload& workload, const std::string& payload) {
    for (std::int64_t number = 0; number < workload.readings;) {
      Step(begin_);
      const std::int64_t end = std::min(number + workload.commit, workload.readings);
      for (; number < end; ++number) StoreOne(workload, number, payload);
      Step(commit_);
    }
  }

 private:
  static void Check(int code) { WATTMINT_ASSERT(code == SQLITE_OK, "SQLite code {}", code); }
  static void Step(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    WATTMINT_ASSERT(code == SQLITE_DONE, "SQLite code {}", code);
    sqlite3_reset(statement);
  }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statement;
  }
  static std::int64_t Micros(domain::Time time) { return time.time_since_epoch().count(); }

  void StoreOne(const Workload& workload, std::int64_t number, const std::string& payload) {
    const domain::Reading reading = ReadingOf(workload, number);
    const std::int64_t meter_ref = number % workload.meters + 1;
    const std::int64_t columns[] = {number + 1,
                                    meter_ref,
                                    meter_ref,
                                    Micros(reading.start),
                                    reading.length.count(),
                                    reading.energy.nano_kwh(),
                                    1,
                                    1,
                                    Micros(reading.end())};
    int index = 0;
    for (const std::int64_t column : columns) sqlite3_bind_int64(reading_, ++index, column);
    Step(reading_);
    sqlite3_bind_int64(task_, 1, number + 1);
    sqlite3_bind_int64(task_, 2, Micros(reading.end()));
    Step(task_);
    sqlite3_bind_int64(event_, 1, number + 1);
    sqlite3_bind_blob(event_, 2, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
    Step(event_);
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* reading_ = nullptr;
  sqlite3_stmt* task_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

Cost Median(std::vector<Cost> costs) {
  std::ranges::sort(costs, {}, &Cost::cpu_seconds);
  const double cpu_seconds = costs[costs.size() / 2].cpu_seconds;
  std::ranges::sort(costs, {}, &Cost::wall_seconds);
  return {costs[costs.size() / 2].wall_seconds, cpu_seconds};
}

void Print(std::string_view name, const Workload& workload, Cost cost) {
  const auto readings = static_cast<double>(workload.readings);
  fmt::print("{:12} {:>9.0f} readings/s, {:.2f} us of CPU a reading\n", name,
             readings / cost.wall_seconds, cost.cpu_seconds / readings * 1e6);
}

void Main(const Workload& workload) {
  const std::string payload(kPayloadBytes, 'e');
  std::vector<Cost> ours;
  std::vector<Cost> bare;
  for (int round = 0; round < kRounds; ++round) {
    const test::TempDir dir;
    const auto database = OpenWithMeters((dir / "ours.db").string(), workload);
    ours.push_back(Measure([&] { StoreByTransaction(*database, workload, payload); }));
    const std::string path = (dir / "bare.db").string();
    OpenWithMeters(path, workload).reset();
    BareLoop loop(path);
    bare.push_back(Measure([&] { loop.Store(workload, payload); }));
  }
  fmt::print("{} readings of {} meters, {} a commit, each with mint task and {} byte event\n",
             workload.readings, workload.meters, workload.commit, kPayloadBytes);
  Print("transaction", workload, Median(ours));
  Print("bare loop", workload, Median(bare));
  fmt::print("{:12} {:.2f} of the time, {:.2f} of the CPU\n", "ratio",
             Median(ours).wall_seconds / Median(bare).wall_seconds,
             Median(ours).cpu_seconds / Median(bare).cpu_seconds);
}

}  // namespace
}  // namespace wattmint::storage

int main(int argc, char** argv) {
  wattmint::storage::Workload workload;
  std::int64_t* const settings[] = {&workload.readings, &workload.meters, &workload.commit};
  for (int i = 1; i < argc && i <= 3; ++i) {
    std::from_chars(argv[i], argv[i] + std::strlen(argv[i]), *settings[i - 1]);
  }
  wattmint::storage::Main(workload);
  return 0;
}
