// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/sim_disk.h"

#include <memory>
#include <string>

struct sqlite3_vfs;

namespace wattmint::test {

// A SimDisk as a file system for SQLite, registered under a name of its own while it lives. It
// tells SQLite the same about the disk as the platform's does (sectors, writes that spare their
// neighbours), syncs the directory when that does, and keeps the same locks, so that several
// connections of one process stand beside each other. Waiting takes no time, and the clock stands.
//
// Threads: one. Lifetime: every connection ends before it.
class SimVfs {
 public:
  // REQUIRES: no other file system of that name.
  SimVfs(std::string name, SimDisk& disk);
  ~SimVfs();
  SimVfs(const SimVfs&) = delete;
  SimVfs& operator=(const SimVfs&) = delete;

  // For storage::ConnectionOptions::vfs.
  const std::string& name() const { return name_; }

 private:
  struct Volume;

  const std::string name_;
  const std::unique_ptr<Volume> volume_;
  const std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace wattmint::test
