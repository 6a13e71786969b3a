// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/reading_file.h"
#include "cli/reading_rows.h"
#include "core/domain/time.h"

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wattmint::cli {

// What `import` was asked for, as text of flags.
struct ImportFlags {
  std::vector<std::string> files;
  std::vector<std::string> columns;  // "energy=kWh out"
  std::string separator;
  std::string timezone;
  std::string interval;
  std::string channel = "generation";
  std::string shift_to;  // "now" or a time
  std::string from;
  std::string to;
  std::string last;
  std::int64_t pace = 0;
  int batch = 2'000;
  bool any_age = false;
  bool dry_run = false;
};

// Which rows are taken, and by how much their times move. A value.
struct TimeWindow {
  domain::Duration shift{};
  std::optional<domain::Time> from;  // earliest start, after the shift; included
  std::optional<domain::Time> to;    // latest end, after the shift; included

  // Shifts the row; whether it lies in the window.
  bool Take(ReadingRow& row) const;
};

// What files hold, as far as it can be told without a server.
struct ImportSurvey {
  std::int64_t rows = 0;  // that are readings
  std::int64_t broken = 0;
  absl::flat_hash_set<std::string> meters;
  std::optional<domain::Time> first_start;
  std::optional<domain::Time> last_end;
  std::optional<domain::Energy> energy = domain::Energy();  // nothing if the sum does not fit

  void Add(const FileRow& row);
};

// Flags that were understood. The window is not known before PlaceWindow().
struct ImportPlan {
  ImportFlags flags;
  RowOptions rows;
  std::optional<char> separator;
  TimeWindow window;

  // Errors: kInvalidArgument that names the flag.
  static absl::StatusOr<ImportPlan> Make(const ImportFlags& flags);

  // Calls `visit` with each row of each file. Errors: of ReadingFile and of `visit`.
  using Visit = std::function<absl::Status(const ReadingFile& file, FileRow& row)>;
  absl::Status ForEachRow(const Visit& visit) const;

  // Reads the files once if the window hangs on what they hold, and places it.
  absl::Status PlaceWindow(domain::Time now);
};

// By how much rows move, in whole hours, so that the newest of them ends at `target` or less than
// an hour before.
domain::Duration ShiftTo(domain::Time target, domain::Time newest_end);

}  // namespace wattmint::cli
