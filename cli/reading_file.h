// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/byte_source.h"
#include "cli/csv_reader.h"
#include "cli/reading_rows.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace wattmint::cli {

// A row of a file: a reading, or why it is none.
struct FileRow {
  std::size_t file_index = 0;  // among the files of an import
  std::int64_t line = 0;
  ReadingRow reading;
  std::string problem;  // not empty: broken
};

// The readings of one CSV file, plain or gzip. Threads: one.
class ReadingFile {
 public:
  // Opens it and reads its header. `separator`: nothing to guess it.
  // Errors: of ByteSource and RowParser, each naming the file.
  static absl::StatusOr<std::unique_ptr<ReadingFile>> Open(const std::string& path,
                                                           const RowOptions& options,
                                                           std::optional<char> separator);

  // False at the end. A broken row is no error. Errors: of ByteSource.
  absl::StatusOr<bool> Next(FileRow& row);

  const ByteSource& source() const { return source_; }

 private:
  explicit ReadingFile(ByteSource source);
  absl::Status ReadHeader(const RowOptions& options, std::optional<char> separator);

  ByteSource source_;
  CsvReader reader_;
  CsvRecord record_;
  std::optional<RowParser> parser_;
};

}  // namespace wattmint::cli
