// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace wattmint::storage {

// The platform's file system for SQLite, with one fault: the n-th write or sync from now on fails,
// and so does everything behind it until it is mended. Threads: any, on one platform file each.
class FaultyVfs {
 public:
  explicit FaultyVfs(std::string name);
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  const std::string& name() const { return name_; }
  // `sqlite_code` such as SQLITE_IOERR_FSYNC or SQLITE_FULL; `countdown` 0: the next one.
  void FailAfter(std::int64_t countdown, int sqlite_code);
  void Mend() { countdown_ = -1; }
  bool HasFailed() const { return failed_; }

  // What the coming write or sync answers: SQLITE_OK to let it happen.
  int Step();

 private:
  const std::string name_;
  sqlite3_vfs vfs_{};
  std::atomic<std::int64_t> countdown_{-1};  // below 0: whole
  std::atomic<int> sqlite_code_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace wattmint::storage
