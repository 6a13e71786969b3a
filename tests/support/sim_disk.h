// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/seeded_random.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::test {

// A disk in memory that can lose its power and fail, the same way for the same seed and calls.
//
// What is written, truncated, created or removed is seen at once, but durable only after a sync of
// its file, or of the directory for names. When the power goes, each change that no sync covered
// is kept, lost, or torn between sectors, in any order; a lost write at the end of a file may leave
// its length behind, as zeros. Bytes beside a write never suffer (SQLite counts on that, too).
// Threads: one. Lifetime: outlives whoever has files open.
class SimDisk {
 public:
  static constexpr std::size_t kSectorBytes = 512;
  struct File;
  using FilePtr = std::shared_ptr<File>;  // shared: by every name and every open handle
  enum class Result { kOk, kNotFound, kIoError, kFull };

  // What goes wrong besides the power; chances are per million operations of that kind.
  struct Faults {
    int read_errors_ppm = 0;
    int write_errors_ppm = 0;  // some of the first sectors are written nevertheless
    // The error is told once: what it covered is durable or will never be, though it is still seen.
    int sync_errors_ppm = 0;
    std::int64_t bytes_max = std::numeric_limits<std::int64_t>::max();  // of all files together
    // Whether a sync of this file does nothing and says OK. "": the directory.
    std::function<bool(std::string_view name)> sync_lies;
  };

  explicit SimDisk(std::uint64_t seed);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  Faults& faults() { return faults_; }

  // The power goes (or the program dies) while the n-th change or sync from now on is under way; of
  // that one some may be done, and all behind it fail. REQUIRES: n >= 1.
  void CutAfter(std::int64_t n);
  // The same, now.
  void Cut() { off_ = true; }
  bool IsOff() const { return off_; }
  // The power is back: settles what is left. Takes back a cut that did not happen. REQUIRES:
  // nothing is open.
  void PowerUp();
  // Only the program had died: all that was done is seen as before, synced or not. Else as
  // PowerUp().
  void Restart();

  // An open file, or nullptr: not there (unless `create`), or no power. To be given to Close().
  FilePtr Open(const std::string& name, bool create);
  // A file that no name leads to.
  FilePtr OpenNameless();
  void Close(const FilePtr& file);
  bool Exists(const std::string& name) const { return names_.contains(name); }
  std::int64_t SizeOf(const File& file) const;
  std::int64_t SizeOf(const std::string& name) const;  // 0: not there, or empty

  // `read`: how many bytes there were.
  Result Read(File& file, std::int64_t offset, std::span<char> out, std::size_t& read);
  Result Write(File& file, std::int64_t offset, std::string_view bytes);
  Result Truncate(File& file, std::int64_t size);
  Result Remove(const std::string& name);
  Result Sync(File& file);
  Result SyncDirectory();

  std::int64_t changes() const { return changes_; }  // and syncs, so far
  std::int64_t errors() const { return errors_; }    // that were injected, so far
  std::int64_t power_cuts() const { return power_cuts_; }
  // A digest of the kinds, places and sizes of all changes and syncs; not of the bytes.
  std::uint64_t trace() const { return trace_; }

 private:
  struct NameChange {
    std::string name;
    FilePtr file;  // nullptr: removed
  };
  enum class Kind { kCreate, kRemove, kWrite, kTruncate, kSync, kSyncDirectory };
  enum class Fate { kKept, kLost, kTorn };
  // How one power cut treats the changes of one file, or of the directory.
  class Weather;

  // Counts the operation; false if the power is off, or goes now.
  bool Step(Kind kind, std::int64_t offset, std::int64_t size);
  bool Strikes(int ppm);
  // Whether there is room for the file up to `end`.
  bool Fits(const File& file, std::int64_t end) const;
  bool Lies(std::string_view name) const { return faults_.sync_lies && faults_.sync_lies(name); }
  void Rename(const std::string& name, FilePtr file);
  void Settle(File& file);

  SeededRandom random_;
  Faults faults_;
  std::map<std::string, FilePtr> names_;
  std::map<std::string, FilePtr> durable_names_;
  std::vector<NameChange> unsynced_names_;
  bool off_ = false;
  std::int64_t cut_in_ = 0;  // 0: no cut is coming
  std::int64_t open_files_ = 0;
  std::int64_t changes_ = 0;
  std::int64_t errors_ = 0;
  std::int64_t power_cuts_ = 0;
  std::uint64_t trace_ = 14'695'981'039'346'656'037u;  // FNV-1a
};

}  // namespace wattmint::test
