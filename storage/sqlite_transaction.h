// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/status.h"
#include "core/store/transaction.h"
#include "storage/sqlite_status.h"
#include "storage/tenure_sums.h"
#include "storage/writer.h"

#include <memory>
#include <type_traits>
#include <utility>

namespace wattmint::storage {

// A transaction of the one writer, by BEGIN IMMEDIATE. Row numbers, task ids and sequences are
// drawn here, each the last plus one, so that a rollback leaves no gap.
// Lifetime: `writer` must outlive it; one at a time.
class SqliteTransaction final : public store::Transaction {
 public:
  // `outcome` becomes the error that breaks this transaction; it must outlive it and be OK now.
  static absl::StatusOr<std::unique_ptr<SqliteTransaction>> Begin(Writer& writer,
                                                                  absl::Status& outcome);
  ~SqliteTransaction() override;
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  absl::StatusOr<std::optional<store::KnownReading>> FindReading(std::int64_t meter_ref,
                                                                 domain::Time start,
                                                                 domain::Duration length) override;
  absl::StatusOr<std::optional<store::ReadingSpan>> FindLastStartingBefore(
      std::int64_t meter_ref, domain::Time end) override;
  absl::StatusOr<bool> HasPointBetween(std::int64_t meter_ref, domain::Time after,
                                       domain::Time before) override;
  absl::StatusOr<std::optional<store::KnownReading>> FindRequestId(
      std::int64_t meter_ref, std::string_view request_id) override;
  absl::StatusOr<std::optional<domain::Time>> FindLastEnd(std::int64_t meter_ref) override;
  absl::StatusOr<std::int64_t> FindCounter(std::int64_t meter_ref,
                                           std::string_view public_key) override;
  absl::StatusOr<domain::ReadingId> InsertReading(const domain::Meter& meter,
                                                  const domain::Reading& reading,
                                                  const store::MintStart& mint,
                                                  domain::Time accept_time) override;
  absl::StatusOr<std::optional<store::StoredReading>> FindStored(std::int64_t row) override;
  absl::StatusOr<std::int64_t> CorrectReading(std::int64_t row,
                                              const domain::Correction& change) override;
  absl::StatusOr<std::optional<domain::Correction>> FindLastCorrection(std::int64_t row) override;
  absl::Status InsertTask(std::int64_t row, const store::MintStart& mint,
                          domain::Time time) override;
  absl::StatusOr<std::optional<domain::PowerPeak>> FindPeak(std::int64_t meter_ref) override;
  absl::Status RaisePeak(std::int64_t meter_ref, const domain::PowerPeak& peak) override;

  absl::StatusOr<std::optional<domain::MintTask>> FindTask(std::int64_t task_id) override;
  absl::StatusOr<bool> UpdateTask(const domain::MintTask& task,
                                  domain::MintState expected) override;
  absl::StatusOr<domain::Remainder> GetRemainder(std::string_view meter_id) override;
  absl::Status SetRemainder(std::string_view meter_id, domain::Remainder remainder) override;
  absl::StatusOr<domain::Energy> GetSignedEnergy(std::int64_t day) override;
  absl::Status AddSignedEnergy(std::int64_t day, domain::Energy energy) override;

  absl::StatusOr<std::int64_t> InsertMeter(const domain::Meter& meter) override;
  absl::Status UpdateMeter(const domain::Meter& meter) override;
  absl::Status InsertApiKey(const store::ApiKeyRecord& key) override;
  absl::Status UpdateApiKey(const store::ApiKeyRecord& key) override;
  absl::Status SetKeyUse(const store::KeyUse& use) override;
  absl::StatusOr<std::optional<store::AnnouncementRecord>> FindAnnouncement(
      std::string_view request_id) override;
  absl::Status InsertAnnouncement(const store::AnnouncementRecord& announcement) override;
  absl::Status SetSwitch(std::string_view name, std::string_view value) override;
  absl::StatusOr<std::int64_t> AppendEvent(std::string_view payload) override;
  absl::StatusOr<std::int64_t> CompactEvents(std::int64_t before, std::int64_t count_max) override;

  absl::Status Commit() override;
  bool IsBroken() const override { return !outcome_.ok(); }

 private:
  SqliteTransaction(Writer& writer, absl::Status& outcome) : writer_(writer), outcome_(outcome) {}

  static absl::Status StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static absl::Status StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }
  // Runs `work` unless the transaction is broken, and breaks it when that fails.
  template <typename Work>
  std::invoke_result_t<Work> Do(std::string_view doing, Work&& work) {
    if (IsBroken()) return base::Unavailable("{}: the transaction is broken", doing);
    auto result = Guarded(doing, std::forward<Work>(work));
    if (!result.ok()) outcome_ = StatusOf(result);
    return result;
  }
  // Throw SQLite::Exception.
  std::int64_t TenureOf(const domain::Meter& meter, std::int64_t row);
  Writer::Tenure LoadTenure(std::int64_t meter_ref) const;
  void InsertTaskRow(std::int64_t row, const store::MintStart& mint, domain::Time time) const;
  void InsertExtras(std::int64_t row, const domain::Meter& meter,
                    const domain::Reading& reading) const;
  void PutEventBytes() const;
  std::int64_t PutMeterKey(const domain::Meter& meter, std::int64_t counter) const;

  Writer& writer_;
  absl::Status& outcome_;
  bool committed_ = false;
  std::int64_t last_row_ = 0;
  std::int64_t last_sequence_ = 0;
  std::int64_t event_bytes_ = 0;  // how many more there are than before
  TenureSums sums_;
};

}  // namespace wattmint::storage
