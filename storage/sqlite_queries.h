// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/queries.h"
#include "storage/reader_pool.h"

namespace wattmint::storage {

// Questions to wattmint.db. Threads: any. Lifetime: `readers` must outlive it.
class SqliteQueries final : public store::Queries {
 public:
  explicit SqliteQueries(ReaderPool& readers) : readers_(readers) {}

  absl::StatusOr<std::optional<domain::AcceptedReading>> FindReading(
      const domain::ReadingId& reading_id) override;
  absl::StatusOr<std::vector<domain::AcceptedReading>> ListReadings(
      const store::ReadingQuery& query) override;
  absl::StatusOr<std::vector<domain::Correction>> ListCorrections(std::int64_t row) override;
  absl::StatusOr<std::vector<store::MeterSums>> SumReadings(const std::string& meter_id,
                                                            const std::string& user_id) override;
  absl::StatusOr<std::optional<domain::MintTask>> FindTask(std::int64_t task_id) override;
  absl::StatusOr<std::vector<domain::MintTask>> ListTasks(const store::TaskQuery& query) override;
  absl::StatusOr<std::vector<domain::MintTask>> ListDueTasks(domain::Time now, int count_max,
                                                             bool by_hand_only) override;
  absl::StatusOr<std::optional<domain::Time>> FindNextDue(bool by_hand_only) override;
  absl::StatusOr<std::vector<domain::MintTask>> ListTasksInWork(domain::Time now,
                                                                int count_max) override;
  absl::StatusOr<int> CountTasksInWork() override;
  absl::StatusOr<domain::Energy> GetSignedEnergy(std::int64_t day) override;
  absl::StatusOr<store::TaskSums> SumTasks() override;
  absl::StatusOr<store::TaskOverview> GetTaskOverview() override;
  absl::StatusOr<store::BatchState> GetBatch(const std::string& batch_id,
                                             const std::string& user_id) override;
  absl::StatusOr<std::vector<domain::Meter>> LoadMeters() override;
  absl::StatusOr<std::vector<store::ApiKeyRecord>> LoadApiKeys() override;
  absl::StatusOr<std::vector<store::KeyUse>> LoadKeyUses() override;
  absl::StatusOr<std::optional<std::string>> GetSwitch(std::string_view name) override;

 private:
  ReaderPool& readers_;
};

}  // namespace wattmint::storage
