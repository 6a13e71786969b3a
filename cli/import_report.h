// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/output.h"
#include "core/base/clock.h"
#include "wattmint/v1/reading.pb.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace wattmint::cli {

// What became of the rows of an import: counts by outcome and by reason, and the first lines that
// went wrong. A value.
class ImportReport {
 public:
  void AddBroken(const std::string& file, std::int64_t line, const std::string& reason);
  // `lines`: of the batch's readings, in order.
  void AddAcknowledged(const std::string& file, const std::vector<std::int64_t>& lines,
                       const v1::StreamReadingsResponse& response);

  std::int64_t broken() const { return broken_; }
  // Rows that were answered or are broken.
  std::int64_t rows() const;
  bool HasRefused() const { return broken_ > 0 || counts_.rejected() > 0; }

  // The counts to `output`, the lines that went wrong to `error`.
  void Print(Output& output, std::FILE* error, base::Duration elapsed) const;

  void PrintLines(std::FILE* error) const;

  static constexpr std::size_t kLinesShownMax = 20;

 private:
  void AddLine(const std::string& file, std::int64_t line, const std::string& reason);

  v1::SubmitCounts counts_;
  std::map<std::string, std::int64_t> by_reason_;
  std::int64_t broken_ = 0;
  std::int64_t lines_wrong_ = 0;
  std::vector<std::string> lines_shown_;
};

}  // namespace wattmint::cli
