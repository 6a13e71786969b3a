// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_disk.h"

#include "core/base/assert.h"

#include <algorithm>
#include <utility>

namespace wattmint::test {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

// One write or truncation.
struct Change {
  std::int64_t offset = 0;  // of a truncation: the size
  std::string bytes;
  bool truncates = false;
};

void Apply(std::string& content, std::int64_t offset, std::string_view bytes) {
  const auto begin = static_cast<std::size_t>(offset);
  if (content.size() < begin + bytes.size()) content.resize(begin + bytes.size());
  bytes.copy(content.data() + begin, bytes.size());
}

void Apply(std::string& content, const Change& change) {
  if (change.truncates) {
    content.resize(static_cast<std::size_t>(change.offset));
  } else {
    Apply(content, change.offset, change.bytes);
  }
}

// Calls `visit(offset, bytes)` for the part of the write in each sector of the disk.
template <typename Visit>
void ForEachSector(const Change& write, Visit visit) {
  std::string_view rest = write.bytes;
  std::int64_t offset = write.offset;
  while (!rest.empty()) {
    const std::size_t left =
        SimDisk::kSectorBytes - static_cast<std::size_t>(offset) % SimDisk::kSectorBytes;
    const std::string_view part = rest.substr(0, left);
    visit(offset, part);
    offset += static_cast<std::int64_t>(part.size());
    rest.remove_prefix(part.size());
  }
}

}  // namespace

struct SimDisk::File {
  std::string name;
  std::string content;  // as it is seen
  std::string durable;
  std::vector<Change> unsynced;  // that may still become durable, in order
};

// A cut that loses all, keeps all, or keeps what came first is as likely as one that treats each
// change by itself; else a long transaction would never be found whole, nor half in order.
class SimDisk::Weather {
 public:
  Weather(SeededRandom& random, std::size_t changes) : random_(random) {
    switch (random_.NextBelow(4)) {
      case 0:
        kept_first_ = 0;
        break;
      case 1:
        kept_first_ = changes;
        break;
      case 2:
        kept_first_ = random_.NextBelow(changes + 1);
        break;
      default:
        by_itself_ = true;
        break;
    }
  }
  // Of the next change, in order.
  Fate Next() {
    if (by_itself_) return static_cast<Fate>(random_.NextBelow(3));
    const std::size_t index = index_++;
    if (index < kept_first_) return Fate::kKept;
    // The change that was under way.
    return index == kept_first_ && kept_first_ > 0 ? Fate::kTorn : Fate::kLost;
  }

 private:
  SeededRandom& random_;
  bool by_itself_ = false;
  std::size_t kept_first_ = 0;
  std::size_t index_ = 0;
};

SimDisk::SimDisk(std::uint64_t seed) : random_(seed) {}

SimDisk::~SimDisk() { WATTMINT_ASSERT(open_files_ == 0, "{} files are open", open_files_); }

void SimDisk::CutAfter(std::int64_t n) {
  WATTMINT_ASSERT(n >= 1, "a cut after {} changes", n);
  cut_in_ = n;
}

void SimDisk::Restart() {
  WATTMINT_ASSERT(open_files_ == 0, "{} files are open", open_files_);
  cut_in_ = 0;
  off_ = false;
}

void SimDisk::PowerUp() {
  const bool lost_power = off_;
  Restart();
  if (!lost_power) return;
  ++power_cuts_;
  Weather weather(random_, unsynced_names_.size());
  for (NameChange& change : std::exchange(unsynced_names_, {})) {
    if (weather.Next() != Fate::kKept) continue;
    if (change.file == nullptr) {
      durable_names_.erase(change.name);
    } else {
      durable_names_[change.name] = std::move(change.file);
    }
  }
  names_ = durable_names_;
  for (const auto& [name, file] : names_) Settle(*file);
}

void SimDisk::Settle(File& file) {
  Weather weather(random_, file.unsynced.size());
  for (const Change& change : std::exchange(file.unsynced, {})) {
    const Fate fate = weather.Next();
    if (fate == Fate::kKept) {
      Apply(file.durable, change);
      continue;
    }
    if (change.truncates) continue;
    const std::size_t end = static_cast<std::size_t>(change.offset) + change.bytes.size();
    if (file.durable.size() < end && random_.NextBelow(2) == 0) file.durable.resize(end);
    if (fate == Fate::kLost) continue;
    ForEachSector(change, [&](std::int64_t offset, std::string_view part) {
      if (random_.NextBelow(2) == 0) Apply(file.durable, offset, part);
    });
  }
  file.content = file.durable;
}

SimDisk::FilePtr SimDisk::Open(const std::string& name, bool create) {
  if (off_) return nullptr;
  const auto known = names_.find(name);
  if (known != names_.end()) {
    ++open_files_;
    return known->second;
  }
  if (!create) return nullptr;
  auto file = std::make_shared<File>(File{name});
  const bool done = Step(Kind::kCreate, 0, 0);
  Rename(name, file);
  if (!done) return nullptr;
  ++open_files_;
  return file;
}

SimDisk::FilePtr SimDisk::OpenNameless() {
  if (off_) return nullptr;
  ++open_files_;
  return std::make_shared<File>();
}

void SimDisk::Close(const FilePtr& file) {
  WATTMINT_ASSERT(file != nullptr && open_files_ > 0, "closed more often than opened");
  --open_files_;
}

std::int64_t SimDisk::SizeOf(const File& file) const {
  return static_cast<std::int64_t>(file.content.size());
}

std::int64_t SimDisk::SizeOf(const std::string& name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? 0 : SizeOf(*known->second);
}

SimDisk::Result SimDisk::Read(File& file, std::int64_t offset, std::span<char> out,
                              std::size_t& read) {
  read = 0;
  if (off_ || Strikes(faults_.read_errors_ppm)) return Result::kIoError;
  if (offset >= SizeOf(file)) return Result::kOk;
  read = std::min(out.size(), file.content.size() - static_cast<std::size_t>(offset));
  std::copy_n(file.content.begin() + offset, read, out.begin());
  return Result::kOk;
}

SimDisk::Result SimDisk::Write(File& file, std::int64_t offset, std::string_view bytes) {
  if (off_) return Result::kIoError;
  Result result = Result::kOk;
  if (!Fits(file, offset + static_cast<std::int64_t>(bytes.size()))) {
    ++errors_;
    result = Result::kFull;
  } else if (Strikes(faults_.write_errors_ppm)) {
    result = Result::kIoError;
  }
  if (!Step(Kind::kWrite, offset, static_cast<std::int64_t>(bytes.size()))) {
    result = Result::kIoError;
  }
  if (result != Result::kOk) {
    bytes = bytes.substr(0, random_.NextBelow(bytes.size() / kSectorBytes + 2) * kSectorBytes);
  }
  file.unsynced.push_back({offset, std::string(bytes)});
  Apply(file.content, file.unsynced.back());
  return result;
}

bool SimDisk::Fits(const File& file, std::int64_t end) const {
  if (end <= SizeOf(file)) return true;
  std::int64_t total = end - SizeOf(file);
  for (const auto& [name, other] : names_) total += SizeOf(*other);
  return total <= faults_.bytes_max;
}

SimDisk::Result SimDisk::Truncate(File& file, std::int64_t size) {
  if (off_) return Result::kIoError;
  const bool done = Step(Kind::kTruncate, 0, size);
  file.unsynced.push_back({size, {}, true});
  Apply(file.content, file.unsynced.back());
  return done ? Result::kOk : Result::kIoError;
}

SimDisk::Result SimDisk::Remove(const std::string& name) {
  if (off_) return Result::kIoError;
  if (!names_.contains(name)) return Result::kNotFound;
  const bool done = Step(Kind::kRemove, 0, 0);
  Rename(name, nullptr);
  return done ? Result::kOk : Result::kIoError;
}

void SimDisk::Rename(const std::string& name, FilePtr file) {
  if (file == nullptr) {
    names_.erase(name);
  } else {
    names_[name] = file;
  }
  unsynced_names_.push_back({name, std::move(file)});
}

SimDisk::Result SimDisk::Sync(File& file) {
  if (!Step(Kind::kSync, 0, SizeOf(file))) return Result::kIoError;
  const bool failed = Strikes(faults_.sync_errors_ppm);
  if (!failed && Lies(file.name)) return Result::kOk;
  for (const Change& change : std::exchange(file.unsynced, {})) {
    if (!failed || random_.NextBelow(2) == 0) Apply(file.durable, change);
  }
  return failed ? Result::kIoError : Result::kOk;
}

SimDisk::Result SimDisk::SyncDirectory() {
  if (!Step(Kind::kSyncDirectory, 0, 0)) return Result::kIoError;
  if (Lies("")) return Result::kOk;
  durable_names_ = names_;
  unsynced_names_.clear();
  return Result::kOk;
}

bool SimDisk::Step(Kind kind, std::int64_t offset, std::int64_t size) {
  if (off_) return false;
  ++changes_;
  for (const std::int64_t value : {static_cast<std::int64_t>(kind), offset, size}) {
    trace_ = (trace_ ^ static_cast<std::uint64_t>(value)) * 1'099'511'628'211u;
  }
  if (cut_in_ > 0 && --cut_in_ == 0) off_ = true;
  return !off_;
}

bool SimDisk::Strikes(int ppm) {
  if (ppm <= 0 || random_.NextBelow(kMillion) >= static_cast<std::uint64_t>(ppm)) return false;
  ++errors_;
  return true;
}

}  // namespace wattmint::test
