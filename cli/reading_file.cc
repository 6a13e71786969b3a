// SPDX-License-Identifier: Apache-2.0
#include "cli/reading_file.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

namespace wattmint::cli {

ReadingFile::ReadingFile(ByteSource source)
    : source_(std::move(source)),
      reader_([this](std::span<char> out) { return source_.Read(out); }) {}

absl::StatusOr<std::unique_ptr<ReadingFile>> ReadingFile::Open(const std::string& path,
                                                               const RowOptions& options,
                                                               std::optional<char> separator) {
  WATTMINT_ASSIGN_OR_RETURN(ByteSource source, ByteSource::Open(path));
  std::unique_ptr<ReadingFile> file(new ReadingFile(std::move(source)));
  WATTMINT_RETURN_IF_ERROR(file->ReadHeader(options, separator));
  return file;
}

absl::Status ReadingFile::ReadHeader(const RowOptions& options, std::optional<char> separator) {
  if (!separator) {
    WATTMINT_ASSIGN_OR_RETURN(separator, reader_.GuessSeparator());
  }
  reader_.set_separator(*separator);
  WATTMINT_ASSIGN_OR_RETURN(const bool has_header, reader_.Next(record_));
  if (!has_header) {
    return base::InvalidArgument("{} is empty; its first line must name the columns",
                                 source_.name());
  }
  absl::StatusOr<RowParser> parser = RowParser::Create(record_.fields, options);
  if (!parser.ok()) {
    return base::InvalidArgument(
        "{}, line {}: {}", source_.name(), record_.line,
        record_.problem.empty() ? base::Message(parser.status()) : record_.problem);
  }
  parser_.emplace(*std::move(parser));
  reader_.ExpectFields(record_.fields.size());
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadingFile::Next(FileRow& row) {
  WATTMINT_ASSIGN_OR_RETURN(const bool more, reader_.Next(record_));
  if (!more) return false;
  row.line = record_.line;
  row.problem.swap(record_.problem);
  if (!row.problem.empty()) return true;
  absl::StatusOr<ReadingRow> reading = parser_->Parse(record_.fields);
  if (reading.ok()) {
    row.reading = *std::move(reading);
  } else {
    row.problem = base::Message(reading.status());
  }
  return true;
}

}  // namespace wattmint::cli
