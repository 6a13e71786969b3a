// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_event_log.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "storage/log_identity.h"
#include "storage/run.h"
#include "storage/sqlite_status.h"

#include <algorithm>

namespace wattmint::storage {

absl::StatusOr<store::LogBounds> SqliteEventLog::GetBounds() {
  static const std::string kSql =
      "SELECT coalesce((SELECT min(sequence) FROM events), 1),"
      " coalesce((SELECT max(sequence) FROM events), 0), event_bytes FROM log";
  WATTMINT_ASSIGN_OR_RETURN(const auto reader, readers_.Borrow());
  return Guarded("reading the log's bounds", [&]() -> absl::StatusOr<store::LogBounds> {
    Run run(reader->Prepared(kSql));
    run.Next();
    return store::LogBounds{ReadLogIdentity(*reader).epoch, run.Int64(0), run.Int64(1),
                            run.Int64(2)};
  });
}

absl::StatusOr<std::vector<store::StoredEvent>> SqliteEventLog::Read(std::int64_t from,
                                                                     std::size_t count_max,
                                                                     std::size_t bytes_max) {
  static const std::string kSql =
      "SELECT sequence, payload FROM events WHERE sequence >= ? ORDER BY sequence LIMIT ?";
  using Events = std::vector<store::StoredEvent>;
  from = std::max<std::int64_t>(from, 1);
  WATTMINT_ASSIGN_OR_RETURN(const auto reader, readers_.Borrow());
  return Guarded("reading events", [&]() -> absl::StatusOr<Events> {
    Events events;
    std::size_t bytes = 0;
    Run run(reader->Prepared(kSql), from, count_max);
    while (run.Next()) {
      const std::int64_t sequence = run.Int64(0);
      if (events.empty() && sequence != from) {
        return base::OutOfRange("event {} was compacted; the oldest is {}", from, sequence);
      }
      const std::string_view payload = run.View(1);
      bytes += payload.size();
      if (!events.empty() && bytes > bytes_max) break;
      events.push_back({sequence, std::string(payload)});
    }
    return events;
  });
}

}  // namespace wattmint::storage
