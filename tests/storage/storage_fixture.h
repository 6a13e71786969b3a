// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/assert.h"
#include "storage/database.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace wattmint::storage {

inline domain::Time AtMinute(std::int64_t minute) {
  return domain::Time(std::chrono::minutes(28'000'000 + minute));  // minute 0 is in March 2023
}

inline domain::Energy Kwh(std::int64_t kwh) {
  return domain::Energy::FromNanoKwh(kwh * 1'000'000'000);
}

// A generation of `kwh` in [minute, minute + length).
inline domain::Reading Interval(std::string meter_id, std::int64_t minute, std::int64_t length,
                                std::int64_t kwh = 1) {
  domain::Reading reading;
  reading.meter_id = std::move(meter_id);
  reading.start = AtMinute(minute);
  reading.length = std::chrono::minutes(length);
  reading.energy = Kwh(kwh);
  return reading;
}

inline domain::Reading Point(std::string meter_id, std::int64_t minute, std::int64_t kwh = 1) {
  return Interval(std::move(meter_id), minute, 0, kwh);
}

template <typename T>
T Value(absl::StatusOr<T> result) {
  WATTMINT_ASSERT(result.ok(), "{}", result.status().ToString());
  return *std::move(result);
}
inline void Value(const absl::Status& status) {
  WATTMINT_ASSERT(status.ok(), "{}", status.ToString());
}

// A database in a directory of its own.
class StorageTest : public testing::Test {
 protected:
  StorageTest() { Open(); }

  void Open() {
    database_.reset();
    options_.connection.path = path();
    database_ = Value(Database::Open(options_));
  }
  std::string path() const { return (dir_ / "wattmint.db").string(); }
  store::Queries& queries() { return database_->queries(); }
  store::EventLog& log() { return database_->event_log(); }
  store::Journal& journal() { return database_->journal(); }
  std::unique_ptr<store::Transaction> Begin() { return Value(journal().Begin()); }

  // Runs `work` in a transaction of its own and commits it.
  template <typename Work>
  void Write(Work work) {
    auto transaction = Begin();
    work(*transaction);
    Value(transaction->Commit());
  }

  // Registers a meter of `user_id`; its wallet is "wallet-" and the user.
  domain::Meter Register(const std::string& meter_id, const std::string& user_id) {
    domain::Meter meter{0, meter_id, user_id, "wallet-" + user_id, AtMinute(0), AtMinute(0)};
    Write([&](auto& transaction) { meter.meter_ref = Value(transaction.InsertMeter(meter)); });
    return meter;
  }
  domain::ReadingId Store(const domain::Meter& meter, const domain::Reading& reading,
                          const store::MintStart& mint = domain::MintState::kPending) {
    domain::ReadingId id;
    Write([&](auto& transaction) {
      id = Value(transaction.InsertReading(meter, reading, mint, reading.end()));
    });
    return id;
  }
  // Changes the task as `change` says; whether it was in state `expected`.
  bool Change(std::int64_t task_id, domain::MintState expected,
              const std::function<void(domain::MintTask&)>& change) {
    bool changed = false;
    Write([&](auto& transaction) {
      domain::MintTask task = Value(transaction.FindTask(task_id)).value();
      change(task);
      changed = Value(transaction.UpdateTask(task, expected));
    });
    return changed;
  }
  bool Move(std::int64_t task_id, domain::MintState from, domain::MintState to) {
    return Change(task_id, from, [&](auto& task) { task.state = to; });
  }

  test::TempDir dir_;
  Database::Options options_;
  std::unique_ptr<Database> database_;
};

}  // namespace wattmint::storage
