// SPDX-License-Identifier: Apache-2.0
#include "cli/import_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace wattmint::cli {

void ImportReport::AddLine(const std::string& file, std::int64_t line, const std::string& reason) {
  ++lines_wrong_;
  if (lines_shown_.size() == kLinesShownMax) return;
  lines_shown_.push_back(fmt::format("{}, line {}: {}", file, line, reason));
}

void ImportReport::AddBroken(const std::string& file, std::int64_t line,
                             const std::string& reason) {
  ++broken_;
  AddLine(file, line, reason);
}

void ImportReport::AddAcknowledged(const std::string& file, const std::vector<std::int64_t>& lines,
                                   const v1::StreamReadingsResponse& response) {
  counts_.set_accepted(counts_.accepted() + response.counts().accepted());
  counts_.set_existed(counts_.existed() + response.counts().existed());
  counts_.set_rejected(counts_.rejected() + response.counts().rejected());
  counts_.set_not_applicable(counts_.not_applicable() + response.counts().not_applicable());
  counts_.set_quarantined(counts_.quarantined() + response.counts().quarantined());
  for (const v1::IndexedResult& refused : response.rejected()) {
    const std::string reason =
        ShortName(v1::Rejection_Name(refused.result().rejection()), "REJECTION_");
    ++by_reason_[reason];
    const auto index = static_cast<std::size_t>(refused.index());
    AddLine(file, index < lines.size() ? lines[index] : 0,
            fmt::format("{}: {}", reason, refused.result().message()));
  }
}

std::int64_t ImportReport::rows() const {
  return counts_.accepted() + counts_.existed() + counts_.rejected() + broken_;
}

void ImportReport::PrintLines(std::FILE* error) const {
  for (const std::string& line : lines_shown_) fmt::print(error, "{}\n", line);
  const std::int64_t hidden = lines_wrong_ - static_cast<std::int64_t>(lines_shown_.size());
  if (hidden > 0) fmt::print(error, "... and {} more\n", CountText(hidden));
}

void ImportReport::Print(Output& output, std::FILE* error, base::Duration elapsed) const {
  PrintLines(error);
  const double seconds = std::max(std::chrono::duration<double>(elapsed).count(), 1e-6);
  const auto rate = static_cast<std::int64_t>(static_cast<double>(rows()) / seconds);
  nlohmann::ordered_json reasons = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : by_reason_) reasons[reason] = std::to_string(count);
  output.Json({{"rows", std::to_string(rows())},
               {"accepted", std::to_string(counts_.accepted())},
               {"not_applicable", std::to_string(counts_.not_applicable())},
               {"quarantined", std::to_string(counts_.quarantined())},
               {"existed", std::to_string(counts_.existed())},
               {"rejected", std::to_string(counts_.rejected())},
               {"rejected_by_reason", reasons},
               {"broken", std::to_string(broken_)},
               {"seconds", seconds},
               {"rows_per_second", std::to_string(rate)}});

  output.Line(
      fmt::format("{} rows in {:.1f} s, {} rows/s", CountText(rows()), seconds, CountText(rate)));
  std::vector<std::vector<std::string>> table = {
      {"accepted", CountText(counts_.accepted())},
      {"  to mint",
       CountText(counts_.accepted() - counts_.not_applicable() - counts_.quarantined())},
      {"  in quarantine", CountText(counts_.quarantined())},
      {"  nothing to mint", CountText(counts_.not_applicable())},
      {"existed", CountText(counts_.existed())},
      {"refused", CountText(counts_.rejected())}};
  for (const auto& [reason, count] : by_reason_) table.push_back({"  " + reason, CountText(count)});
  table.push_back({"broken", CountText(broken_)});
  output.Table({"outcome", "rows"}, {Align::kLeft, Align::kRight}, table);
}

}  // namespace wattmint::cli
