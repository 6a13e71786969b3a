// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::cli {

enum class OutputFormat { kTable, kJson };
enum class Align { kLeft, kRight };

// One column of a table of `T`.
template <typename T>
struct Column {
  std::string_view heading;
  Align align = Align::kLeft;
  std::string (*cell)(const T&);
};

// Where results go: tables for people, or JSON for programs, one object a line, with the members of
// the protos and every 64-bit number as a string. Threads: one.
class Output {
 public:
  Output(OutputFormat format, std::FILE* out) : format_(format), out_(out) {}

  bool IsJson() const { return format_ == OutputFormat::kJson; }

  // A list, in either format. A table of nothing says so.
  template <typename List, typename T>
  void PrintList(const List& items, const std::vector<Column<T>>& columns);

  // An object of JSON; nothing for people.
  void Json(const nlohmann::ordered_json& object);
  void Json(const google::protobuf::Message& message);
  // A line for people; nothing for programs.
  void Line(std::string_view text);
  // Name and value under each other, for people.
  void Facts(const std::vector<std::pair<std::string, std::string>>& facts);
  void Table(const std::vector<std::string>& headings, const std::vector<Align>& aligns,
             const std::vector<std::vector<std::string>>& rows);
  void Flush() { std::fflush(out_); }

 private:
  OutputFormat format_;
  std::FILE* out_;
};

template <typename List, typename T>
void Output::PrintList(const List& items, const std::vector<Column<T>>& columns) {
  if (IsJson()) {
    for (const T& item : items) Json(item);
    return;
  }
  std::vector<std::string> headings;
  std::vector<Align> aligns;
  for (const Column<T>& column : columns) {
    headings.emplace_back(column.heading);
    aligns.push_back(column.align);
  }
  std::vector<std::vector<std::string>> rows;
  for (const T& item : items) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const Column<T>& column : columns) row.push_back(column.cell(item));
  }
  Table(headings, aligns, rows);
}

// 103425.401753681: base units as GRX, exactly.
std::string GrxText(std::int64_t base_units);
// RFC 3339; empty for a time that is not set.
std::string TimeText(const google::protobuf::Timestamp& time);
// 148,920.
std::string CountText(std::int64_t count);
// The name of an enum's value without the prefix that they all have: "CONFIRMED".
std::string ShortName(std::string_view value_name, std::string_view prefix);

}  // namespace wattmint::cli
