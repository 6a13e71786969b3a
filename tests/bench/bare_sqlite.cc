// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_sqlite.h"

#include "core/base/assert.h"
#include "core/wire/event_codec.h"
#include "storage/database.h"
#include "tests/support/test_core.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <string>

namespace wattmint::bench {
namespace {

constexpr std::int64_t kStepUs = 60'000'000;

void CheckCode(int code, int expected) {
  WATTMINT_ASSERT(code == expected, "SQLite code {}", code);
}

domain::Meter MeterOf(int number) {
  return {0,
          fmt::format("m-{:05}", number),
          fmt::format("user-{}", number % 100),
          test::WalletAddress(number % 100),
          {},
          {}};
}

// The schema, the meters with a time of ownership each: by our own storage, before the clock runs.
void Prepare(const std::string& path, int meters) {
  storage::Database::Options options;
  options.connection.path = path;
  const auto database = storage::Database::Open(options);
  WATTMINT_ASSERT(database.ok(), "{}", database.status().ToString());
  const auto transaction = (*database)->journal().Begin();
  WATTMINT_ASSERT(transaction.ok(), "{}", transaction.status().ToString());
  for (int i = 0; i < meters; ++i) {
    WATTMINT_ASSERT((*transaction)->InsertMeter(MeterOf(i)).ok(), "meter {}", i);
  }
  WATTMINT_ASSERT((*transaction)->Commit().ok(), "the meters");
}

std::string ReceivedOf(int meter) {
  const domain::Meter owner = MeterOf(meter);
  return wire::EncodePayload(
      base::SystemClock().Now(),
      domain::MeterReadingReceived{.user_id = owner.user_id,
                                   .wallet_address = owner.wallet_address,
                                   .meter_id = owner.meter_id,
                                   .energy = domain::Energy::FromNanoKwh(1'250'000'000),
                                   .reading_id = domain::ReadingId(base::SystemClock().Now(), 7, 1),
                                   .interval_start = base::SystemClock().Now(),
                                   .interval = domain::Duration(kStepUs)});
}

std::string CreatedOf(int meter) {
  const domain::Meter owner = MeterOf(meter);
  return wire::EncodePayload(
      base::SystemClock().Now(),
      domain::TaskCreated{.task_id = 1'000'000,
                          .user_id = owner.user_id,
                          .meter_id = owner.meter_id,
                          .reading_id = domain::ReadingId(base::SystemClock().Now(), 7, 1),
                          .energy = domain::Energy::FromNanoKwh(1'250'000'000)});
}

}  // namespace

struct BareSqlite::Statements {
  explicit Statements(const std::string& path) {
    CheckCode(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                              nullptr),
              SQLITE_OK);
    for (const char* pragma : {"PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 4096",
                               "PRAGMA cache_size = -32768"}) {
      CheckCode(sqlite3_exec(database, pragma, nullptr, nullptr, nullptr), SQLITE_OK);
    }
    begin = Make("BEGIN IMMEDIATE");
    commit = Make("COMMIT");
    reading = Make("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    task = Make("INSERT INTO mint_tasks (task_id, next_attempt, update_time) VALUES (?, ?2, ?2)");
    event = Make("INSERT INTO events VALUES (?, ?)");
    tenure = Make(
        "INSERT INTO tenures (tenure_ref, meter_ref, user_id, wallet_address, first_row)"
        " VALUES (?1, ?1, ?2, ?3, 1)");
    sums = Make(
        "UPDATE tenures SET readings = readings + ?, energy = energy + ?"
        " WHERE tenure_ref = ?");
    bytes = Make("UPDATE log SET event_bytes = event_bytes + ?");
  }
  ~Statements() {
    for (sqlite3_stmt* made : {begin, commit, reading, task, event, tenure, sums, bytes}) {
      sqlite3_finalize(made);
    }
    sqlite3_close(database);
  }

  sqlite3_stmt* Make(const char* sql) {
    sqlite3_stmt* made = nullptr;
    CheckCode(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr),
              SQLITE_OK);
    return made;
  }
  static void Run(sqlite3_stmt* statement) {
    CheckCode(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
  }
  static void Bind(sqlite3_stmt* statement, std::initializer_list<std::int64_t> values) {
    int index = 0;
    for (const std::int64_t value : values) sqlite3_bind_int64(statement, ++index, value);
  }

  sqlite3* database = nullptr;
  sqlite3_stmt* begin = nullptr;
  sqlite3_stmt* commit = nullptr;
  sqlite3_stmt* reading = nullptr;
  sqlite3_stmt* task = nullptr;
  sqlite3_stmt* event = nullptr;
  sqlite3_stmt* tenure = nullptr;
  sqlite3_stmt* sums = nullptr;
  sqlite3_stmt* bytes = nullptr;
  std::vector<std::string> payloads;  // two for each meter
};

BareSqlite::BareSqlite(const std::filesystem::path& folder, int meters) : meters_(meters) {
  const std::string path = (folder / "bare.db").string();
  Prepare(path, meters);
  sql_ = std::make_unique<Statements>(path);
  Statements::Run(sql_->begin);
  for (int i = 0; i < meters; ++i) {
    sql_->payloads.push_back(ReceivedOf(i));
    sql_->payloads.push_back(CreatedOf(i));
    const domain::Meter meter = MeterOf(i);
    sqlite3_bind_int64(sql_->tenure, 1, i + 1);
    sqlite3_bind_text(sql_->tenure, 2, meter.user_id.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_text(sql_->tenure, 3, meter.wallet_address.c_str(), -1, SQLITE_STATIC);
    Statements::Run(sql_->tenure);
  }
  Statements::Run(sql_->commit);
}

BareSqlite::~BareSqlite() = default;

void BareSqlite::Store(std::int64_t readings, int batch) {
  const std::int64_t last = stored_ + readings;
  while (stored_ < last) {
    const std::int64_t first = stored_;
    now_ = base::SystemClock().Now().time_since_epoch().count();
    Statements::Run(sql_->begin);
    for (; stored_ < std::min(first + batch, last); ++stored_) StoreOne(stored_);
    BringUpToDate(first, stored_);
    Statements::Run(sql_->commit);
  }
}

void BareSqlite::StoreOne(std::int64_t number) {
  const std::int64_t row = number + 1;
  const std::int64_t meter = number % meters_;
  Statements::Bind(sql_->reading, {row, meter + 1, meter + 1, kStepUs * (number / meters_), kStepUs,
                                   1'250'000'000, 1, 1, now_});
  Statements::Run(sql_->reading);
  Statements::Bind(sql_->task, {row, now_});
  Statements::Run(sql_->task);
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::string& payload = sql_->payloads[static_cast<std::size_t>(2 * meter + i)];
    sqlite3_bind_int64(sql_->event, 1, 2 * number + i + 1);
    sqlite3_bind_blob(sql_->event, 2, payload.data(), static_cast<int>(payload.size()),
                      SQLITE_STATIC);
    Statements::Run(sql_->event);
  }
}

void BareSqlite::BringUpToDate(std::int64_t first, std::int64_t end) {
  const std::int64_t touched = std::min<std::int64_t>(end - first, meters_);
  for (std::int64_t i = first; i < first + touched; ++i) {
    Statements::Bind(sql_->sums, {1, 1'250'000'000, i % meters_ + 1});
    Statements::Run(sql_->sums);
  }
  Statements::Bind(sql_->bytes, {400 * (end - first)});
  Statements::Run(sql_->bytes);
}

}  // namespace wattmint::bench
