// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "core/base/decimal.h"
#include "core/base/time_format.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

namespace wattmint::cli {
namespace {

constexpr int kGrxDecimals = 9;

// Characters, as far as UTF-8 tells; wide ones count as one.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void AppendCell(std::string& line, std::string_view text, std::size_t width, Align align) {
  const std::string padding(width - std::min(width, Width(text)), ' ');
  if (align == Align::kRight) line += padding;
  line += text;
  if (align == Align::kLeft) line += padding;
}

}  // namespace

void Output::Json(const nlohmann::ordered_json& object) {
  if (IsJson()) fmt::print(out_, "{}\n", object.dump());
}

void Output::Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    if (IsJson()) fmt::print(out_, "{}\n", text);
  }
}

void Output::Line(std::string_view text) {
  if (!IsJson()) fmt::print(out_, "{}\n", text);
}

void Output::Facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, Width(name));
  for (const auto& [name, value] : facts) {
    std::string line;
    AppendCell(line, name, width + 2, Align::kLeft);
    Line(line + value);
  }
}

void Output::Table(const std::vector<std::string>& headings, const std::vector<Align>& aligns,
                   const std::vector<std::vector<std::string>>& rows) {
  if (IsJson()) return;
  if (rows.empty()) return Line("(none)");
  std::vector<std::size_t> widths;
  for (const std::string& heading : headings) widths.push_back(Width(heading));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  const auto print = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      AppendCell(line, cells[i], widths[i], aligns[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    Line(line);
  };
  print(headings);
  for (const auto& row : rows) print(row);
}

std::string GrxText(std::int64_t base_units) {
  return base::FormatDecimal(base_units, kGrxDecimals);
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return base::FormatRfc3339(base::Time(std::chrono::seconds(time.seconds()) +
                                        std::chrono::microseconds(time.nanos() / 1'000)));
}

std::string CountText(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string ShortName(std::string_view value_name, std::string_view prefix) {
  if (value_name.starts_with(prefix)) value_name.remove_prefix(prefix.size());
  return std::string(value_name);
}

}  // namespace wattmint::cli
