// SPDX-License-Identifier: Apache-2.0
#include "cli/reading_rows.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "core/domain/energy.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace wattmint::cli {
namespace {

struct ColumnNames {
  ReadingColumn column;
  std::string_view name;                  // as --column takes it
  std::vector<std::string_view> guesses;  // lower case; an earlier one wins
};

const std::vector<ColumnNames>& AllColumnNames() {
  static const std::vector<ColumnNames> names = {
      {ReadingColumn::kMeter, "meter", {"meter_id", "meter", "meter_serial", "nmi"}},
      {ReadingColumn::kStart, "start", {"interval_start", "start", "start_time", "from"}},
      {ReadingColumn::kEnd, "end", {"interval_end", "end", "end_time", "to"}},
      {ReadingColumn::kInterval, "interval", {"interval", "interval_length"}},
      {ReadingColumn::kTime, "time", {"timestamp", "read_time", "time", "datetime"}},
      {ReadingColumn::kEnergy, "energy", {"energy_kwh", "kwh_amount", "kwh", "energy"}},
      {ReadingColumn::kQuality, "quality", {"quality", "quality_flag"}},
      {ReadingColumn::kRequestId, "request_id", {"request_id"}},
  };
  static_assert(kReadingColumns == 8);
  return names;
}

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Place of the column with this name, -1 if there is none. Case does not matter.
absl::StatusOr<int> FindColumn(std::span<const std::string_view> header, std::string_view name) {
  int place = -1;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (Lower(Trim(header[i])) != Lower(name)) continue;
    if (place >= 0) return base::InvalidArgument("the header names column {} twice", name);
    place = static_cast<int>(i);
  }
  return place;
}

}  // namespace

std::optional<ReadingColumn> ParseReadingColumn(std::string_view name) {
  for (const ColumnNames& names : AllColumnNames()) {
    if (names.name == name) return names.column;
  }
  return std::nullopt;
}

absl::StatusOr<domain::Duration> ParseInterval(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("PT")) rest.remove_prefix(2);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const std::string unit = Lower(std::string_view(end, rest.data() + rest.size()));
  const std::int64_t seconds = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3'600
                               : unit == "d" ? 86'400
                                             : 0;
  constexpr std::int64_t kCountMax = 1'000'000;
  if (error != std::errc() || seconds == 0 || count < 1 || count > kCountMax) {
    return base::InvalidArgument("interval \"{}\" is not of the kind 900s, 15m, 1h, 30d or PT15M",
                                 text);
  }
  return std::chrono::seconds(count * seconds);
}

absl::StatusOr<domain::Quality> ParseQuality(std::string_view text) {
  using domain::Quality;
  const std::string word = Lower(text);
  if (word.empty() || word == "a" || word == "actual") return Quality::kActual;
  if (word == "e" || word == "estimated") return Quality::kEstimated;
  if (word == "s" || word == "substituted") return Quality::kSubstituted;
  if (word == "f" || word == "final") return Quality::kFinal;
  return base::InvalidArgument("quality \"{}\" is none of A, E, S and F", text);
}

absl::StatusOr<RowParser> RowParser::Create(std::span<const std::string_view> header,
                                            const RowOptions& options) {
  RowParser parser(options);
  WATTMINT_RETURN_IF_ERROR(parser.Place(header));
  WATTMINT_RETURN_IF_ERROR(parser.CheckColumns());
  return parser;
}

absl::Status RowParser::Place(std::span<const std::string_view> header) {
  for (const ColumnNames& names : AllColumnNames()) {
    int& place = place_[static_cast<int>(names.column)];
    if (const auto named = options_.names.find(names.column); named != options_.names.end()) {
      WATTMINT_ASSIGN_OR_RETURN(place, FindColumn(header, named->second));
      if (place < 0) return base::InvalidArgument("the header has no column {}", named->second);
      continue;
    }
    for (const std::string_view guess : names.guesses) {
      if (place >= 0) break;
      WATTMINT_ASSIGN_OR_RETURN(place, FindColumn(header, guess));
    }
  }
  return absl::OkStatus();
}

absl::Status RowParser::CheckColumns() const {
  for (const auto& [column, what] :
       {std::pair(ReadingColumn::kMeter, "meter"), std::pair(ReadingColumn::kEnergy, "energy")}) {
    if (Has(column)) continue;
    return base::InvalidArgument(
        "the header has no column for the {0}; the first line must name the columns, or say which "
        "one it is: --column {0}=NAME",
        what);
  }
  if (Has(ReadingColumn::kStart)) {
    if (Has(ReadingColumn::kEnd) || Has(ReadingColumn::kInterval) || options_.interval) {
      return absl::OkStatus();
    }
    return base::InvalidArgument(
        "the header has a start but neither an end nor an interval; say how long: --interval 15m");
  }
  if (Has(ReadingColumn::kTime)) return absl::OkStatus();
  return base::InvalidArgument(
      "the header has neither a start nor a time; say which one it is: --column start=NAME");
}

std::string_view RowParser::Field(std::span<const std::string_view> fields,
                                  ReadingColumn column) const {
  const int place = place_[static_cast<int>(column)];
  return place < 0 ? std::string_view() : Trim(fields[static_cast<std::size_t>(place)]);
}

absl::StatusOr<ReadingRow> RowParser::Parse(std::span<const std::string_view> fields) {
  ReadingRow row;
  row.meter_id = Field(fields, ReadingColumn::kMeter);
  if (row.meter_id.empty()) return base::InvalidArgument("no meter");
  row.energy_kwh = Field(fields, ReadingColumn::kEnergy);
  WATTMINT_RETURN_IF_ERROR(domain::Energy::Parse(row.energy_kwh).status());
  WATTMINT_ASSIGN_OR_RETURN(row.quality, ParseQuality(Field(fields, ReadingColumn::kQuality)));
  row.request_id = Field(fields, ReadingColumn::kRequestId);
  WATTMINT_RETURN_IF_ERROR(ParseTimes(fields, row));
  return row;
}

absl::Status RowParser::ParseTimes(std::span<const std::string_view> fields, ReadingRow& row) {
  if (!Has(ReadingColumn::kStart)) {
    WATTMINT_ASSIGN_OR_RETURN(row.start,
                              ParseStart(row.meter_id, Field(fields, ReadingColumn::kTime)));
    return absl::OkStatus();
  }
  WATTMINT_ASSIGN_OR_RETURN(row.start,
                            ParseStart(row.meter_id, Field(fields, ReadingColumn::kStart)));
  if (Has(ReadingColumn::kEnd)) {
    const std::string_view text = Field(fields, ReadingColumn::kEnd);
    LastTime& last = last_times_[1];
    if (options_.zone || last.text != text) {
      WATTMINT_ASSIGN_OR_RETURN(last.time, ParseTime(text, row.start));
      last.text = text;
    }
    row.length = last.time - row.start;
  } else if (Has(ReadingColumn::kInterval)) {
    WATTMINT_ASSIGN_OR_RETURN(row.length, ParseInterval(Field(fields, ReadingColumn::kInterval)));
  } else {
    row.length = *options_.interval;
  }
  if (row.length > domain::Duration::zero()) return absl::OkStatus();
  return base::InvalidArgument("the interval does not end after its start");
}

absl::StatusOr<domain::Time> RowParser::ParseStart(const std::string& meter_id,
                                                   std::string_view text) {
  if (!options_.zone) {
    LastTime& last = last_times_[0];
    if (last.text != text) {
      WATTMINT_ASSIGN_OR_RETURN(last.time, ParseTime(text, std::nullopt));
      last.text = text;
    }
    return last.time;
  }
  const auto before = last_start_.find(meter_id);
  const bool is_first = before == last_start_.end();
  WATTMINT_ASSIGN_OR_RETURN(
      const domain::Time start,
      ParseTime(text, is_first ? std::nullopt : std::optional(before->second)));
  last_start_[meter_id] = start;
  return start;
}

absl::StatusOr<domain::Time> RowParser::ParseTime(std::string_view text,
                                                  std::optional<domain::Time> after) {
  absl::StatusOr<domain::Time> exact = base::ParseRfc3339(text);
  if (exact.ok()) return exact;
  if (!options_.zone) {
    return base::InvalidArgument("{}; for local times, say where: --timezone Europe/Zurich",
                                 base::Message(exact.status()));
  }
  WATTMINT_ASSIGN_OR_RETURN(const base::LocalTime local,
                            base::ParseLocalTime(text, *options_.zone));
  switch (local.kind) {
    case base::LocalTime::Kind::kUnique:
      return local.earlier;
    case base::LocalTime::Kind::kRepeated:
      return after && local.earlier <= *after ? local.later : local.earlier;
    case base::LocalTime::Kind::kSkipped:
      break;
  }
  return base::InvalidArgument("{} does not exist in this time zone: clocks were set forward",
                               text);
}

}  // namespace wattmint::cli
