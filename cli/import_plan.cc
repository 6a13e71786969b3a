// SPDX-License-Identifier: Apache-2.0
#include "cli/import_plan.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"

#include <algorithm>

namespace wattmint::cli {
namespace {

absl::Status ForFlag(std::string_view flag, const absl::Status& status) {
  if (status.ok()) return status;
  return base::InvalidArgument("--{}: {}", flag, base::Message(status));
}

// Parses the value of a flag, if it was given.
template <typename T, typename Parse>
absl::Status ParseFlagText(std::string_view flag, const std::string& text, Parse parse,
                           std::optional<T>& value) {
  if (text.empty()) return absl::OkStatus();
  absl::StatusOr<T> parsed = parse(text);
  if (!parsed.ok()) return ForFlag(flag, parsed.status());
  value = *std::move(parsed);
  return absl::OkStatus();
}

absl::StatusOr<char> ParseSeparator(std::string_view text) {
  if (text == "tab") return '\t';
  if (text.size() == 1 && text != "\"" && text != "\n") return text.front();
  return base::InvalidArgument("one character, or tab, is expected");
}

absl::Status ParseColumns(const ImportFlags& flags, RowOptions& rows) {
  for (const std::string& text : flags.columns) {
    const std::size_t equals = text.find('=');
    const std::optional<ReadingColumn> column = ParseReadingColumn(text.substr(0, equals));
    if (equals == std::string::npos || !column) {
      return base::InvalidArgument(
          "--column {}: meter, start, end, interval, time, energy, quality or request_id, then = "
          "and the name in the header, is expected",
          text);
    }
    rows.names[*column] = text.substr(equals + 1);
  }
  return absl::OkStatus();
}

}  // namespace

bool TimeWindow::Take(ReadingRow& row) const {
  row.start += shift;
  return (!from || row.start >= *from) && (!to || row.end() <= *to);
}

void ImportSurvey::Add(const FileRow& row) {
  if (!row.problem.empty()) {
    ++broken;
    return;
  }
  ++rows;
  meters.insert(row.reading.meter_id);
  first_start = std::min(first_start.value_or(row.reading.start), row.reading.start);
  last_end = std::max(last_end.value_or(row.reading.end()), row.reading.end());
  const absl::StatusOr<domain::Energy> of_row = domain::Energy::Parse(row.reading.energy_kwh);
  if (energy && of_row.ok()) energy = energy->CheckedAdd(*of_row);
}

domain::Duration ShiftTo(domain::Time target, domain::Time newest_end) {
  return std::chrono::floor<std::chrono::hours>(target - newest_end);
}

absl::StatusOr<ImportPlan> ImportPlan::Make(const ImportFlags& flags) {
  ImportPlan plan;
  plan.flags = flags;
  WATTMINT_RETURN_IF_ERROR(ParseColumns(flags, plan.rows));
  WATTMINT_RETURN_IF_ERROR(
      ParseFlagText("separator", flags.separator, ParseSeparator, plan.separator));
  WATTMINT_RETURN_IF_ERROR(
      ParseFlagText("timezone", flags.timezone, base::FindTimeZone, plan.rows.zone));
  WATTMINT_RETURN_IF_ERROR(
      ParseFlagText("interval", flags.interval, ParseInterval, plan.rows.interval));
  WATTMINT_RETURN_IF_ERROR(ParseFlagText("from", flags.from, base::ParseRfc3339, plan.window.from));
  WATTMINT_RETURN_IF_ERROR(ParseFlagText("to", flags.to, base::ParseRfc3339, plan.window.to));
  std::optional<domain::Duration> last;
  WATTMINT_RETURN_IF_ERROR(ParseFlagText("last", flags.last, ParseInterval, last));
  if (flags.channel == "consumption") plan.rows.channel = domain::Channel::kConsumption;
  const bool needs_survey = !flags.shift_to.empty() || last.has_value();
  if (needs_survey && std::find(flags.files.begin(), flags.files.end(), "-") != flags.files.end()) {
    return base::InvalidArgument(
        "--shift-to and --last read the input twice, which standard input can't; use a file");
  }
  if (last && plan.window.from) return base::InvalidArgument("--last or --from, not both");
  return plan;
}

absl::Status ImportPlan::ForEachRow(const Visit& visit) const {
  FileRow row;
  for (row.file_index = 0; row.file_index < flags.files.size(); ++row.file_index) {
    WATTMINT_ASSIGN_OR_RETURN(const auto file,
                              ReadingFile::Open(flags.files[row.file_index], rows, separator));
    while (true) {
      WATTMINT_ASSIGN_OR_RETURN(const bool more, file->Next(row));
      if (!more) break;
      WATTMINT_RETURN_IF_ERROR(visit(*file, row));
    }
  }
  return absl::OkStatus();
}

absl::Status ImportPlan::PlaceWindow(domain::Time now) {
  if (flags.shift_to.empty() && flags.last.empty()) return absl::OkStatus();
  std::optional<domain::Time> newest_end;
  WATTMINT_RETURN_IF_ERROR(ForEachRow([&](const ReadingFile&, const FileRow& row) {
    if (row.problem.empty()) {
      newest_end = std::max(newest_end.value_or(row.reading.end()), row.reading.end());
    }
    return absl::OkStatus();
  }));
  if (!newest_end) return absl::OkStatus();
  if (!flags.shift_to.empty()) {
    std::optional<domain::Time> target = now;
    if (flags.shift_to != "now") {
      WATTMINT_RETURN_IF_ERROR(
          ParseFlagText("shift-to", flags.shift_to, base::ParseRfc3339, target));
    }
    window.shift = ShiftTo(*target, *newest_end);
  }
  if (!flags.last.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Duration last, ParseInterval(flags.last));
    window.from = *newest_end + window.shift - last;
  }
  return absl::OkStatus();
}

}  // namespace wattmint::cli
