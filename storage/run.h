// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wattmint::storage {

// Bytes that are bound as a BLOB without being copied: they must outlive the Run.
struct Blob {
  std::string_view bytes;
  static Blob Of(std::span<const std::uint8_t> bytes) {
    return {{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
  }
};

// One run of a prepared statement: binds its parameters in order, steps, reads columns (numbered
// from 0), and resets the statement at the end. All but the destructor throw SQLite::Exception.
// Lifetime: ends before the next Run of the same statement begins.
class Run {
 public:
  template <typename... Parameters>
  explicit Run(SQLite::Statement& statement, const Parameters&... parameters)
      : statement_(statement) {
    int index = 0;
    (Bind(++index, parameters), ...);
  }
  ~Run() { statement_.tryReset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Whether there is a (further) row.
  bool Next() { return statement_.executeStep(); }
  // Runs a statement that answers no rows; how many rows it changed.
  int Execute() { return statement_.exec(); }

  bool IsNull(int column) const { return statement_.isColumnNull(column); }
  std::int64_t Int64(int column) const { return statement_.getColumn(column).getInt64(); }
  std::int32_t Int32(int column) const { return statement_.getColumn(column).getInt(); }
  domain::Duration Duration(int column) const { return domain::Duration(Int64(column)); }
  domain::Time Time(int column) const { return domain::Time(Duration(column)); }
  std::optional<double> OptionalDouble(int column) const {
    if (IsNull(column)) return std::nullopt;
    return statement_.getColumn(column).getDouble();
  }
  std::optional<domain::Time> OptionalTime(int column) const {
    if (IsNull(column)) return std::nullopt;
    return Time(column);
  }
  // A TEXT or BLOB; empty for NULL. Valid until the next Next().
  std::string_view View(int column) const {
    const SQLite::Column value = statement_.getColumn(column);
    const auto* bytes = static_cast<const char*>(value.getBlob());
    return bytes == nullptr ? std::string_view()
                            : std::string_view(bytes, static_cast<std::size_t>(value.size()));
  }
  std::string Text(int column) const { return std::string(View(column)); }
  template <typename Named>
  requires std::is_enum_v<Named> Named Enum(int column)
  const { return static_cast<Named>(Int32(column)); }
  // REQUIRES: the column is as long as the array; a shorter one is filled up with zeros.
  template <std::size_t Size>
  std::array<std::uint8_t, Size> Bytes(int column) const {
    std::array<std::uint8_t, Size> bytes{};
    View(column).copy(reinterpret_cast<char*>(bytes.data()), Size);
    return bytes;
  }

 private:
  void Bind(int index, std::int64_t value) { statement_.bind(index, value); }
  void Bind(int index, domain::Duration value) { Bind(index, std::int64_t{value.count()}); }
  void Bind(int index, domain::Time value) { Bind(index, value.time_since_epoch()); }
  void Bind(int index, double value) { statement_.bind(index, value); }
  void Bind(int index, const std::string& text) { statement_.bind(index, text); }
  void Bind(int index, std::string_view text) { statement_.bind(index, std::string(text)); }
  void Bind(int index, Blob blob) {
    // A null pointer would bind NULL.
    const void* const bytes = blob.bytes.empty() ? "" : blob.bytes.data();
    statement_.bindNoCopy(index, bytes, static_cast<int>(blob.bytes.size()));
  }
  template <typename Named>
  requires std::is_enum_v<Named>
  void Bind(int index, Named value) { Bind(index, static_cast<std::int64_t>(value)); }
  template <std::integral Number>
  void Bind(int index, Number value) {
    Bind(index, static_cast<std::int64_t>(value));
  }
  template <typename Value>
  void Bind(int index, const std::optional<Value>& value) {
    if (value) {
      Bind(index, *value);
    } else {
      statement_.bind(index);
    }
  }

  SQLite::Statement& statement_;
};

}  // namespace wattmint::storage
