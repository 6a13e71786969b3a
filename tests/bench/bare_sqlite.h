// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace wattmint::bench {

// The rows that a core stores for readings, by a bare loop over SQLite's C interface: the same
// tables, statements prepared once, one commit for each batch, durable before the next (WAL,
// synchronous = FULL). A reading is a row with its key, a mint task, two events, and its part of
// the sums that each commit brings up to date. Nothing is checked, and the events are ready made.
class BareSqlite {
 public:
  // On a new file in `folder`.
  BareSqlite(const std::filesystem::path& folder, int meters);
  ~BareSqlite();
  BareSqlite(const BareSqlite&) = delete;
  BareSqlite& operator=(const BareSqlite&) = delete;

  // Stores so many readings more, so many in a commit.
  void Store(std::int64_t readings, int batch);

 private:
  struct Statements;

  void StoreOne(std::int64_t number);
  void BringUpToDate(std::int64_t first, std::int64_t end);

  const int meters_;
  std::int64_t stored_ = 0;
  std::int64_t now_ = 0;
  std::unique_ptr<Statements> sql_;
};

}  // namespace wattmint::bench
