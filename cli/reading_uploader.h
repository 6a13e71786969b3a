// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/core_link.h"
#include "cli/import_report.h"
#include "cli/progress.h"
#include "cli/reading_rows.h"
#include "core/client/reading_sender.h"

#include <absl/status/status.h>

#include <deque>
#include <string>
#include <vector>

namespace wattmint::cli {

// The request's form of a row.
void FillReadingInput(const ReadingRow& row, domain::Channel channel, v1::ReadingInput& input);

// Sends rows to the core in batches, and reports what became of each. Threads: one.
class ReadingUploader {
 public:
  struct Options {
    domain::Channel channel = domain::Channel::kGeneration;
    v1::AgePolicy age_policy = v1::AGE_POLICY_UNSPECIFIED;
    int batch_max = 2'000;  // at most domain::kReadingsPerRequestMax
  };

  // Lifetime: all references must outlive it.
  ReadingUploader(const CoreLink& link, const Options& options, ImportReport& report,
                  Progress& progress);

  // Errors: those of client::ReadingSender, explained; permanent.
  absl::Status Add(const std::string& file, std::int64_t line, const ReadingRow& row);
  // Sends what has accumulated.
  absl::Status Flush();
  // Waits until everything is answered.
  absl::Status Finish();

 private:
  struct Lines {
    std::string file;
    std::vector<std::int64_t> lines;
  };

  const CoreLink& link_;
  const Options options_;
  ImportReport& report_;
  v1::StreamReadingsRequest batch_;
  Lines batch_lines_;
  std::deque<Lines> sent_lines_;  // of batches that are not answered yet
  client::ReadingSender sender_;
};

}  // namespace wattmint::cli
