// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::cli {

// One record. The fields are valid until the next one is read.
struct CsvRecord {
  std::int64_t line = 0;  // where it begins, from 1
  std::vector<std::string_view> fields;
  std::string problem;  // not empty: the line is broken, and there are no fields
};

// Splits CSV into records: RFC 4180 (quotes, doubled quotes, line ends within quotes), LF or CRLF,
// a byte order mark, and blank lines, which are skipped.
//
// A broken record costs one line: reading goes on with the line after the one where it began.
// Threads: one.
class CsvReader {
 public:
  // Fills a part of its argument and answers how many bytes; 0 at the end.
  using Source = std::function<absl::StatusOr<std::size_t>(std::span<char>)>;

  explicit CsvReader(Source source);

  // From now on, records with another number of fields are broken.
  void ExpectFields(std::size_t count) { fields_expected_ = count; }
  void set_separator(char separator) { separator_ = separator; }
  // The separator that the next line seems to use: the one of , ; and tab that comes first.
  absl::StatusOr<char> GuessSeparator();

  // False at the end. Errors: the source's.
  absl::StatusOr<bool> Next(CsvRecord& record);

  // A record of more bytes is broken.
  static constexpr std::size_t kRecordBytesMax = 64 * 1024;

 private:
  std::string_view rest() const { return std::string_view(buffer_).substr(begin_, end_ - begin_); }
  absl::Status Fill();
  // Makes the rest hold a whole line, or all that there is. Answers its length without the line
  // end.
  absl::StatusOr<std::size_t> FindLineEnd();
  absl::Status ReadRecord(std::size_t line_length, CsvRecord& record);
  absl::StatusOr<std::size_t> SplitQuoted(CsvRecord& record);
  std::string_view Unquote(std::string_view field);
  void SplitPlain(std::string_view line, CsvRecord& record) const;
  void SkipLine(std::size_t line_length);

  Source source_;
  char separator_ = ',';
  std::optional<std::size_t> fields_expected_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
  bool at_start_ = true;
  std::int64_t line_ = 1;
  std::deque<std::string> unquoted_;  // fields that had doubled quotes
};

}  // namespace wattmint::cli
