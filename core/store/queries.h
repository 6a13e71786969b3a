// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/correction.h"
#include "core/domain/meter.h"
#include "core/domain/mint_task.h"
#include "core/domain/reading.h"
#include "core/store/api_key_record.h"

#include "absl/status/statusor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wattmint::store {

// Which readings to list. Empty fields let everything through; lists are by row, ascending.
struct ReadingQuery {
  std::string meter_id;
  std::string user_id;                    // owner at the time of acceptance
  std::optional<domain::Time> start_min;  // included
  std::optional<domain::Time> start_max;  // excluded
  std::int64_t after_row = 0;             // excluded
  int count_max = 0;
};

struct MeterSums {
  std::string meter_id;
  std::int64_t readings = 0;
  std::int64_t not_applicable = 0;
  std::int64_t minted = 0;
  std::int64_t energy_nano_kwh = 0;  // generation only
  std::int64_t minted_nano_kwh = 0;
  std::int64_t minted_base_units = 0;
};

struct TaskQuery {
  std::string meter_id;
  std::string user_id;
  std::optional<domain::MintState> state;
  std::int64_t after_task_id = 0;  // excluded
  int count_max = 0;
};

struct TaskSums {
  std::int64_t confirmed = 0;
  std::int64_t confirmed_base_units = 0;
  std::int64_t confirmed_nano_kwh = 0;
  std::int64_t open = 0;  // PENDING, CLAIMED, SIGNED, SUBMITTED
  std::int64_t parked = 0;
  std::int64_t rejected = 0;
  std::int64_t not_applicable = 0;  // readings that have nothing to mint
};

// All mint tasks at one moment.
struct TaskOverview {
  TaskSums sums;
  std::vector<domain::MintTask> in_work;  // CLAIMED, SIGNED and SUBMITTED, which are few
};

// The tasks of one batch at one moment.
struct BatchState {
  std::vector<domain::MintTask> tasks;  // by task_id
  std::int64_t sequence = 0;            // of the last event until then
};

// Questions to the committed state. Threads: any. Errors: the environment's only; what is not there
// is nothing.
class Queries {
 public:
  virtual ~Queries() = default;
  virtual absl::StatusOr<std::optional<domain::AcceptedReading>> FindReading(
      const domain::ReadingId& reading_id) = 0;
  virtual absl::StatusOr<std::vector<domain::AcceptedReading>> ListReadings(
      const ReadingQuery& query) = 0;
  // The changes of one reading, oldest first.
  virtual absl::StatusOr<std::vector<domain::Correction>> ListCorrections(std::int64_t row) = 0;
  // By meter_id; of readings that the user owned when they were accepted (empty: anybody).
  virtual absl::StatusOr<std::vector<MeterSums>> SumReadings(const std::string& meter_id,
                                                             const std::string& user_id) = 0;

  virtual absl::StatusOr<std::optional<domain::MintTask>> FindTask(std::int64_t task_id) = 0;
  virtual absl::StatusOr<std::vector<domain::MintTask>> ListTasks(const TaskQuery& query) = 0;
  // PENDING tasks with next_attempt <= now, longest due first; only those asked for by hand if
  // `by_hand_only`.
  virtual absl::StatusOr<std::vector<domain::MintTask>> ListDueTasks(domain::Time now,
                                                                     int count_max,
                                                                     bool by_hand_only) = 0;
  // Earliest next_attempt of PENDING tasks (only those asked for by hand if `by_hand_only`) and of
  // tasks in work.
  virtual absl::StatusOr<std::optional<domain::Time>> FindNextDue(bool by_hand_only) = 0;
  // CLAIMED, SIGNED and SUBMITTED tasks with next_attempt <= now, longest due first: what is to be
  // gone on with, or a crash has left.
  virtual absl::StatusOr<std::vector<domain::MintTask>> ListTasksInWork(domain::Time now,
                                                                        int count_max) = 0;
  virtual absl::StatusOr<int> CountTasksInWork() = 0;
  // Energy of the tasks that were signed on that day (domain::DayOf), each once.
  virtual absl::StatusOr<domain::Energy> GetSignedEnergy(std::int64_t day) = 0;
  virtual absl::StatusOr<TaskSums> SumTasks() = 0;
  virtual absl::StatusOr<TaskOverview> GetTaskOverview() = 0;
  // Without those that are CLAIMED, which no event has told of; of that user (empty: of anybody).
  virtual absl::StatusOr<BatchState> GetBatch(const std::string& batch_id,
                                              const std::string& user_id) = 0;

  virtual absl::StatusOr<std::vector<domain::Meter>> LoadMeters() = 0;
  virtual absl::StatusOr<std::vector<ApiKeyRecord>> LoadApiKeys() = 0;
  virtual absl::StatusOr<std::vector<KeyUse>> LoadKeyUses() = 0;
  // Nothing if it is not set.
  virtual absl::StatusOr<std::optional<std::string>> GetSwitch(std::string_view name) = 0;
};

}  // namespace wattmint::store
