// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_queries.h"

#include "core/base/status_macros.h"
#include "storage/log_identity.h"
#include "storage/rows.h"
#include "storage/run.h"
#include "storage/sqlite_status.h"

#include <SQLiteCpp/Transaction.h>
#include <fmt/core.h>

namespace wattmint::storage {
namespace {

using domain::MintState;

template <typename Reader>
using RowsOf = std::vector<std::invoke_result_t<Reader, const Run&, std::uint16_t>>;

// `read(run, salt)` for each row that `sql` answers, in order. Throws SQLite::Exception.
template <typename Reader, typename... Parameters>
RowsOf<Reader> ReadRows(Connection& connection, const std::string& sql, Reader read,
                        const Parameters&... parameters) {
  const std::uint16_t salt = ReadLogIdentity(connection).salt;
  RowsOf<Reader> rows;
  Run run(connection.Prepared(sql), parameters...);
  while (run.Next()) rows.push_back(read(run, salt));
  return rows;
}

// Asks one question.
template <typename Reader, typename... Parameters>
absl::StatusOr<RowsOf<Reader>> List(ReaderPool& readers, std::string_view doing,
                                    const std::string& sql, Reader read,
                                    const Parameters&... parameters) {
  WATTMINT_ASSIGN_OR_RETURN(const auto reader, readers.Borrow());
  return Guarded(doing, [&]() -> absl::StatusOr<RowsOf<Reader>> {
    return ReadRows(*reader, sql, read, parameters...);
  });
}

// The same for a question that has one answer or none.
template <typename Row>
absl::StatusOr<std::optional<Row>> First(absl::StatusOr<std::vector<Row>> rows) {
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

// Rows of one meter (?1), of one user at the time of acceptance (?2), or of both; continue with
// " AND k. ...". They come from the index on the natural key alone, which costs less than a second
// index that every insertion would pay for.
std::string SelectRows(bool by_meter, bool by_user) {
  const std::string meter = "(SELECT meter_ref FROM meters WHERE meter_id = ?1)";
  if (!by_user) {
    return "SELECT k.row FROM readings k INDEXED BY readings_by_key WHERE k.meter_ref = " + meter;
  }
  return "SELECT k.row FROM tenures n CROSS JOIN readings k INDEXED BY readings_by_key"
         " ON k.meter_ref = n.meter_ref AND k.row >= n.first_row AND k.row < n.end_row"
         " WHERE n.user_id = ?2" +
         (by_meter ? " AND n.meter_ref = " + meter : "");
}

// Tasks in these states are few; each group has a partial index, which SQLite uses only when it
// reads the index's own condition.
std::string_view RareStates(std::optional<MintState> state) {
  switch (state.value_or(MintState::kNotApplicable)) {
    case MintState::kClaimed:
    case MintState::kSigned:
    case MintState::kSubmitted:
      return "t.state BETWEEN 2 AND 4";
    case MintState::kParked:
    case MintState::kRejected:
      return "t.state >= 6";
    default:
      return "";
  }
}

// Parameters: ?1 meter_id, ?2 user_id, ?3 after_task_id, ?4 count_max.
std::string SelectTasks(const store::TaskQuery& query) {
  const bool by_meter = !query.meter_id.empty();
  const bool by_user = !query.user_id.empty();
  const std::string state =
      query.state ? fmt::format(" AND t.state = {}", static_cast<int>(*query.state)) : "";
  if (const std::string_view rare = RareStates(query.state); !rare.empty()) {
    return fmt::format("{} WHERE {}{} AND t.task_id > ?3{}{} ORDER BY t.task_id LIMIT ?4",
                       kSelectTask, rare, state, by_meter ? " AND m.meter_id = ?1" : "",
                       by_user ? " AND n.user_id = ?2" : "");
  }
  if (by_meter || by_user) {
    return fmt::format(
        "{} WHERE t.task_id IN ({} AND k.row > ?3 AND EXISTS (SELECT 1 FROM mint_tasks t"
        " WHERE t.task_id = k.row{}) ORDER BY k.row LIMIT ?4) ORDER BY t.task_id",
        kSelectTask, SelectRows(by_meter, by_user), state);
  }
  if (query.state == MintState::kPending) {
    return fmt::format(
        "{} WHERE t.task_id IN (SELECT task_id FROM mint_tasks INDEXED BY mint_tasks_due"
        " WHERE state = 1 AND task_id > ?3 ORDER BY task_id LIMIT ?4) ORDER BY t.task_id",
        kSelectTask);
  }
  return fmt::format("{} WHERE t.task_id > ?3{} ORDER BY t.task_id LIMIT ?4", kSelectTask, state);
}

// Parameters: ?1 meter_id, ?2 user_id, ?3 start_min, ?4 start_max, ?5 after_row, ?6 count_max.
std::string SelectReadings(const store::ReadingQuery& query) {
  const bool by_meter = !query.meter_id.empty();
  const bool by_user = !query.user_id.empty();
  if (!by_meter && !by_user) {
    return fmt::format(
        "{} WHERE r.row > ?5 AND r.start >= ?3 AND r.start < ?4 ORDER BY r.row LIMIT ?6",
        kSelectReading);
  }
  return fmt::format(
      "{} WHERE r.row IN ({} AND k.start >= ?3 AND k.start < ?4 AND k.row > ?5"
      " ORDER BY k.row LIMIT ?6) ORDER BY r.row",
      kSelectReading, SelectRows(by_meter, by_user));
}

std::string_view DueCondition(bool by_hand_only) {
  return by_hand_only ? "state = 1 AND by_hand = 1" : "state = 1";
}

store::MeterSums ReadMeterSums(const Run& run, std::uint16_t) {
  return {run.Text(0),  run.Int64(1), run.Int64(2), run.Int64(3),
          run.Int64(4), run.Int64(5), run.Int64(6)};
}

store::TaskSums ReadTaskSums(const Run& run, std::uint16_t) {
  return {run.Int64(0), run.Int64(1), run.Int64(2), run.Int64(3),
          run.Int64(4), run.Int64(5), run.Int64(6)};
}

constexpr char kSumTasks[] =
    "SELECT coalesce(sum(confirmed), 0), coalesce(sum(confirmed_tokens), 0),"
    " coalesce(sum(confirmed_energy), 0),"
    " coalesce(sum(readings - not_applicable - confirmed - parked - rejected), 0),"
    " coalesce(sum(parked), 0), coalesce(sum(rejected), 0), coalesce(sum(not_applicable), 0)"
    " FROM tenures";

}  // namespace

absl::StatusOr<std::optional<domain::AcceptedReading>> SqliteQueries::FindReading(
    const domain::ReadingId& reading_id) {
  static const std::string kSql = std::string(kSelectReading) + " WHERE r.row = ?";
  auto found = First(List(readers_, "looking for a reading", kSql, ReadReading, reading_id.row()));
  const bool is_other = found.ok() && *found && (*found)->reading_id != reading_id;
  if (is_other) return std::nullopt;
  return found;
}

absl::StatusOr<std::vector<domain::AcceptedReading>> SqliteQueries::ListReadings(
    const store::ReadingQuery& query) {
  return List(readers_, "listing readings", SelectReadings(query), ReadReading, query.meter_id,
              query.user_id, query.start_min.value_or(domain::Time::min()),
              query.start_max.value_or(domain::Time::max()), query.after_row, query.count_max);
}

absl::StatusOr<std::vector<domain::Correction>> SqliteQueries::ListCorrections(std::int64_t row) {
  static const std::string kSql =
      std::string(kSelectCorrection) + " WHERE row = ? ORDER BY correction_id";
  return List(
      readers_, "listing corrections", kSql,
      [](const Run& run, std::uint16_t) { return ReadCorrection(run); }, row);
}

absl::StatusOr<std::vector<store::MeterSums>> SqliteQueries::SumReadings(
    const std::string& meter_id, const std::string& user_id) {
  const std::string sql = fmt::format(
      "SELECT m.meter_id, sum(n.readings), sum(n.not_applicable), sum(n.confirmed), sum(n.energy),"
      " sum(n.confirmed_energy), sum(n.confirmed_tokens)"
      " FROM tenures n JOIN meters m ON m.meter_ref = n.meter_ref"
      " WHERE {} AND {} GROUP BY m.meter_id ORDER BY m.meter_id",
      meter_id.empty() ? "?1 = ''" : "m.meter_id = ?1",
      user_id.empty() ? "?2 = ''" : "n.user_id = ?2");
  return List(readers_, "summing readings", sql, ReadMeterSums, meter_id, user_id);
}

absl::StatusOr<std::optional<domain::MintTask>> SqliteQueries::FindTask(std::int64_t task_id) {
  static const std::string kSql = std::string(kSelectTask) + " WHERE t.task_id = ?";
  return First(List(readers_, "looking for a mint task", kSql, ReadTask, task_id));
}

absl::StatusOr<std::vector<domain::MintTask>> SqliteQueries::ListTasks(
    const store::TaskQuery& query) {
  return List(readers_, "listing mint tasks", SelectTasks(query), ReadTask, query.meter_id,
              query.user_id, query.after_task_id, query.count_max);
}

absl::StatusOr<std::vector<domain::MintTask>> SqliteQueries::ListDueTasks(domain::Time now,
                                                                          int count_max,
                                                                          bool by_hand_only) {
  const std::string sql =
      fmt::format("{} WHERE {} AND t.next_attempt <= ? ORDER BY t.next_attempt, t.task_id LIMIT ?",
                  kSelectTask, DueCondition(by_hand_only));
  return List(readers_, "listing due mint tasks", sql, ReadTask, now, count_max);
}

absl::StatusOr<std::optional<domain::Time>> SqliteQueries::FindNextDue(bool by_hand_only) {
  const std::string sql = fmt::format(
      "SELECT min(at) FROM (SELECT min(next_attempt) AS at FROM mint_tasks WHERE {}"
      " UNION ALL SELECT min(next_attempt) FROM mint_tasks WHERE state BETWEEN 2 AND 4)"
      " HAVING min(at) IS NOT NULL",
      DueCondition(by_hand_only));
  return First(List(readers_, "looking for the next due time", sql,
                    [](const Run& run, std::uint16_t) { return run.Time(0); }));
}

absl::StatusOr<std::vector<domain::MintTask>> SqliteQueries::ListTasksInWork(domain::Time now,
                                                                             int count_max) {
  static const std::string kSql = std::string(kSelectTask) +
                                  " WHERE t.state BETWEEN 2 AND 4 AND t.next_attempt <= ?"
                                  " ORDER BY t.next_attempt, t.task_id LIMIT ?";
  return List(readers_, "listing mint tasks in work", kSql, ReadTask, now, count_max);
}

absl::StatusOr<int> SqliteQueries::CountTasksInWork() {
  static const std::string kSql = "SELECT count(*) FROM mint_tasks WHERE state BETWEEN 2 AND 4";
  WATTMINT_ASSIGN_OR_RETURN(const auto counts,
                            List(readers_, "counting mint tasks in work", kSql,
                                 [](const Run& run, std::uint16_t) { return run.Int32(0); }));
  return counts.front();
}

absl::StatusOr<domain::Energy> SqliteQueries::GetSignedEnergy(std::int64_t day) {
  static const std::string kSql = "SELECT energy FROM mint_days WHERE day = ?";
  WATTMINT_ASSIGN_OR_RETURN(const auto sum,
                            First(List(
                                readers_, "reading what was signed on a day", kSql,
                                [](const Run& run, std::uint16_t) { return run.Int64(0); }, day)));
  return domain::Energy::FromNanoKwh(sum.value_or(0));
}

absl::StatusOr<store::TaskSums> SqliteQueries::SumTasks() {
  WATTMINT_ASSIGN_OR_RETURN(const auto sums,
                            List(readers_, "summing mint tasks", kSumTasks, ReadTaskSums));
  return sums.front();
}

absl::StatusOr<store::TaskOverview> SqliteQueries::GetTaskOverview() {
  static const std::string kInWork = std::string(kSelectTask) + " WHERE t.state BETWEEN 2 AND 4";
  WATTMINT_ASSIGN_OR_RETURN(const auto reader, readers_.Borrow());
  return Guarded("looking over mint tasks", [&]() -> absl::StatusOr<store::TaskOverview> {
    const SQLite::Transaction moment(reader->database());
    return store::TaskOverview{ReadRows(*reader, kSumTasks, ReadTaskSums).front(),
                               ReadRows(*reader, kInWork, ReadTask)};
  });
}

absl::StatusOr<store::BatchState> SqliteQueries::GetBatch(const std::string& batch_id,
                                                          const std::string& user_id) {
  // SQLite uses the partial index only when it reads the index's own condition.
  static const std::string kTasks = std::string(kSelectTask) +
                                    " WHERE t.batch_id = ?1 AND t.batch_id > '' AND t.state <> 2"
                                    " AND (?2 = '' OR n.user_id = ?2) ORDER BY t.task_id";
  static const std::string kLast = "SELECT coalesce(max(sequence), 0) FROM events";
  WATTMINT_ASSIGN_OR_RETURN(const auto reader, readers_.Borrow());
  return Guarded("reading a batch", [&]() -> absl::StatusOr<store::BatchState> {
    const SQLite::Transaction moment(reader->database());
    const auto last =
        ReadRows(*reader, kLast, [](const Run& run, std::uint16_t) { return run.Int64(0); });
    return store::BatchState{ReadRows(*reader, kTasks, ReadTask, batch_id, user_id), last.front()};
  });
}

absl::StatusOr<std::vector<domain::Meter>> SqliteQueries::LoadMeters() {
  static const std::string kSql = std::string(kSelectMeter) + " ORDER BY meter_ref";
  return List(readers_, "loading meters", kSql,
              [](const Run& run, std::uint16_t) { return ReadMeter(run); });
}

absl::StatusOr<std::vector<store::ApiKeyRecord>> SqliteQueries::LoadApiKeys() {
  static const std::string kSql = std::string(kSelectApiKey) + " ORDER BY key_id";
  return List(readers_, "loading API keys", kSql,
              [](const Run& run, std::uint16_t) { return ReadApiKey(run); });
}

absl::StatusOr<std::vector<store::KeyUse>> SqliteQueries::LoadKeyUses() {
  static const std::string kSql = "SELECT key_id, last_use FROM api_key_uses ORDER BY key_id";
  return List(readers_, "loading last uses of API keys", kSql, [](const Run& run, std::uint16_t) {
    return store::KeyUse{.key_id = run.Text(0), .last_use = run.Time(1)};
  });
}

absl::StatusOr<std::optional<std::string>> SqliteQueries::GetSwitch(std::string_view name) {
  static const std::string kSql = "SELECT value FROM switches WHERE name = ?";
  return First(List(
      readers_, "reading a switch", kSql, [](const Run& run, std::uint16_t) { return run.Text(0); },
      name));
}

}  // namespace wattmint::storage
