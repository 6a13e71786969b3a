// SPDX-License-Identifier: Apache-2.0
#include "cli/csv_reader.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <cstring>

namespace wattmint::cli {
namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

static_assert(kBufferBytes >= 4 * CsvReader::kRecordBytesMax);

// What the next character means while a record with quotes is split.
enum class At { kFieldStart, kPlain, kQuoted, kAfterQuote };

std::string_view WithoutCarriageReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

CsvReader::CsvReader(Source source) : source_(std::move(source)) { buffer_.resize(kBufferBytes); }

absl::Status CsvReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size() || at_end_) return absl::OkStatus();
  WATTMINT_ASSIGN_OR_RETURN(const std::size_t count, source_(std::span(buffer_).subspan(end_)));
  end_ += count;
  at_end_ = count == 0;
  if (at_start_ && (end_ >= kByteOrderMark.size() || at_end_)) {
    at_start_ = false;
    if (rest().starts_with(kByteOrderMark)) begin_ += kByteOrderMark.size();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> CsvReader::FindLineEnd() {
  for (std::size_t searched = 0;;) {
    const std::size_t at = rest().find('\n', searched);
    if (at != std::string_view::npos) return at;
    searched = rest().size();
    const bool is_full = begin_ == 0 && end_ == buffer_.size();
    if (at_end_ || is_full) return rest().size();
    WATTMINT_RETURN_IF_ERROR(Fill());
  }
}

absl::StatusOr<char> CsvReader::GuessSeparator() {
  WATTMINT_ASSIGN_OR_RETURN(const std::size_t length, FindLineEnd());
  const std::size_t at = rest().substr(0, length).find_first_of(",;\t");
  return at == std::string_view::npos ? ',' : rest()[at];
}

void CsvReader::SkipLine(std::size_t line_length) {
  begin_ = std::min(begin_ + line_length + 1, end_);
  ++line_;
}

absl::StatusOr<bool> CsvReader::Next(CsvRecord& record) {
  record.fields.clear();
  record.problem.clear();
  while (true) {
    WATTMINT_ASSIGN_OR_RETURN(const std::size_t length, FindLineEnd());
    if (length == 0 && rest().empty()) return false;
    record.line = line_;
    if (!WithoutCarriageReturn(rest().substr(0, length)).empty()) {
      WATTMINT_RETURN_IF_ERROR(ReadRecord(length, record));
      return true;
    }
    SkipLine(length);
  }
}

absl::Status CsvReader::ReadRecord(std::size_t line_length, CsvRecord& record) {
  const std::string_view line = rest().substr(0, line_length);
  if (line_length > kRecordBytesMax) {
    record.problem = fmt::format("longer than {} bytes", kRecordBytesMax);
    // The line end may lie beyond the buffer.
    while (rest().find('\n') == std::string_view::npos && !at_end_) {
      begin_ = end_;
      WATTMINT_RETURN_IF_ERROR(Fill());
    }
    SkipLine(std::min(rest().find('\n'), rest().size()));
    return absl::OkStatus();
  }
  std::size_t length = line_length;
  if (line.find('"') == std::string_view::npos) {
    SplitPlain(WithoutCarriageReturn(line), record);
  } else if (const absl::StatusOr<std::size_t> split = SplitQuoted(record); split.ok()) {
    length = *split;
  } else if (absl::IsInvalidArgument(split.status())) {
    record.problem = base::Message(split.status());
  } else {
    return split.status();
  }
  if (record.problem.empty() && fields_expected_ && record.fields.size() != *fields_expected_) {
    record.problem = fmt::format("{} fields, {} expected", record.fields.size(), *fields_expected_);
  }
  if (!record.problem.empty()) {
    record.fields.clear();
    length = std::min(rest().find('\n'), rest().size());
  }
  line_ += std::count(rest().begin(), rest().begin() + static_cast<std::ptrdiff_t>(length), '\n');
  SkipLine(length);
  return absl::OkStatus();
}

void CsvReader::SplitPlain(std::string_view line, CsvRecord& record) const {
  while (true) {
    const std::size_t at = line.find(separator_);
    record.fields.push_back(line.substr(0, at));
    if (at == std::string_view::npos) return;
    line.remove_prefix(at + 1);
  }
}

// Answers the length of the record without its LF.
absl::StatusOr<std::size_t> CsvReader::SplitQuoted(CsvRecord& record) {
  while (rest().size() <= kRecordBytesMax && !at_end_) WATTMINT_RETURN_IF_ERROR(Fill());
  unquoted_.clear();
  const std::string_view text = rest().substr(0, kRecordBytesMax);
  At at = At::kFieldStart;
  std::size_t start = 0;
  const auto finish = [&](std::size_t end) {
    const std::string_view field = text.substr(start, end - start);
    record.fields.push_back(at == At::kAfterQuote ? Unquote(field) : field);
    at = At::kFieldStart;
    start = end + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (at == At::kQuoted) {
      if (c == '"') at = At::kAfterQuote;
    } else if (c == separator_) {
      finish(i);
    } else if (c == '\n' || text.substr(i, 2) == "\r\n") {
      finish(i);
      return c == '\n' ? i : i + 1;
    } else if (c == '"' && at != At::kPlain) {
      at = At::kQuoted;  // the first one, or the second of a doubled quote
    } else if (c == '"') {
      return base::InvalidArgument("a quote within a field that has none around it");
    } else if (at == At::kAfterQuote) {
      return base::InvalidArgument("text behind a closing quote");
    } else {
      at = At::kPlain;
    }
  }
  if (at == At::kQuoted || text.size() == kRecordBytesMax) {
    return base::InvalidArgument("a quote that is not closed");
  }
  finish(text.size());
  return text.size();
}

std::string_view CsvReader::Unquote(std::string_view field) {
  field = field.substr(1, field.size() - 2);
  if (field.find('"') == std::string_view::npos) return field;
  std::string& copy = unquoted_.emplace_back();
  for (std::size_t i = 0; i < field.size(); ++i) {
    copy += field[i];
    if (field[i] == '"') ++i;
  }
  return copy;
}

}  // namespace wattmint::cli
