// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/reading.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wattmint::cli {

// What a row can hold.
enum class ReadingColumn { kMeter, kStart, kEnd, kInterval, kTime, kEnergy, kQuality, kRequestId };
inline constexpr int kReadingColumns = 8;

struct RowOptions {
  std::map<ReadingColumn, std::string> names;  // header names that are not to be guessed
  std::optional<absl::TimeZone> zone;          // of times without an offset
  std::optional<domain::Duration> interval;    // of rows that have a start only
  domain::Channel channel = domain::Channel::kGeneration;
};

// One reading of a file. The energy stays text: the server reads it, exactly.
struct ReadingRow {
  std::string meter_id;
  std::string energy_kwh;
  domain::Time start{};
  domain::Duration length{};  // 0: a point reading
  domain::Quality quality = domain::Quality::kActual;
  std::string request_id;

  domain::Time end() const { return start + length; }
};

// Makes readings of rows. Of a local time that the clock shows twice, a row means the first one,
// unless the meter's row before is at or behind that: then the second.
//
// Threads: one.
class RowParser {
 public:
  // Errors: kInvalidArgument with a sentence when columns are missing, doubled or contradict.
  static absl::StatusOr<RowParser> Create(std::span<const std::string_view> header,
                                          const RowOptions& options);

  // Errors: kInvalidArgument with the reason why the row is broken.
  // REQUIRES: as many fields as the header has.
  absl::StatusOr<ReadingRow> Parse(std::span<const std::string_view> fields);

 private:
  explicit RowParser(const RowOptions& options) : options_(options) { place_.fill(-1); }

  absl::Status Place(std::span<const std::string_view> header);
  absl::Status CheckColumns() const;
  bool Has(ReadingColumn column) const { return place_[static_cast<int>(column)] >= 0; }
  std::string_view Field(std::span<const std::string_view> fields, ReadingColumn column) const;
  // `after`: nothing, or the time that a repeated local time must lie behind.
  absl::StatusOr<domain::Time> ParseTime(std::string_view text, std::optional<domain::Time> after);
  absl::Status ParseTimes(std::span<const std::string_view> fields, ReadingRow& row);
  absl::StatusOr<domain::Time> ParseStart(const std::string& meter_id, std::string_view text);

  // The same text again, which is common, is not parsed again.
  struct LastTime {
    std::string text;
    domain::Time time;
  };

  RowOptions options_;
  std::array<int, kReadingColumns> place_{};
  std::array<LastTime, 2> last_times_;                         // of a start, of an end
  absl::flat_hash_map<std::string, domain::Time> last_start_;  // by meter; with a zone only
};

// "900s", "15m", "1h", "30d", "PT15M": a length above zero. Errors: kInvalidArgument.
absl::StatusOr<domain::Duration> ParseInterval(std::string_view text);

// A letter (A, E, S, F) or its word, of either case; nothing means actual. Errors:
// kInvalidArgument.
absl::StatusOr<domain::Quality> ParseQuality(std::string_view text);

// A column's name as --column takes it, such as "energy". Nothing if it is none.
std::optional<ReadingColumn> ParseReadingColumn(std::string_view name);

}  // namespace wattmint::cli
