// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_vfs.h"

#include "core/base/assert.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wattmint::test {
namespace {

using Result = SimDisk::Result;

struct Handle;

// What the handles of one file share outside the disk, gone with the last of them.
struct Sharing {
  std::vector<Handle*> handles;
  std::vector<std::unique_ptr<char[]>> memory;       // SQLite's "-shm", by region
  std::array<int, SQLITE_SHM_NLOCK> memory_locks{};  // how many share; -1: exclusive
};

struct Handle {
  SimDisk& disk;
  SimDisk::FilePtr file;
  std::shared_ptr<Sharing> sharing;  // shared: by all handles of the file
  bool syncs_directory = false;      // with the next sync of the file
  std::string removed_on_close;      // a name, or empty
  int level = SQLITE_LOCK_NONE;
  bool maps_memory = false;
  unsigned shared_locks = 0;  // on the memory, a bit for each
  unsigned exclusive_locks = 0;
};

// What SQLite sees of a handle.
struct File {
  sqlite3_file base;
  Handle* handle;
};

Handle& From(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->handle; }

int Code(Result result, int on_error) {
  if (result == Result::kOk) return SQLITE_OK;
  return result == Result::kFull ? SQLITE_FULL : on_error;
}

int Read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  const std::span<char> all(static_cast<char*>(out), static_cast<std::size_t>(size));
  std::size_t read = 0;
  Handle& handle = From(file);
  if (handle.disk.Read(*handle.file, offset, all, read) != Result::kOk) return SQLITE_IOERR_READ;
  if (read == all.size()) return SQLITE_OK;
  std::ranges::fill(all.subspan(read), '\0');
  return SQLITE_IOERR_SHORT_READ;
}
int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  Handle& handle = From(file);
  const std::string_view all(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  return Code(handle.disk.Write(*handle.file, offset, all), SQLITE_IOERR_WRITE);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = From(file);
  return Code(handle.disk.Truncate(*handle.file, size), SQLITE_IOERR_TRUNCATE);
}
// As the platform's: an error of the directory's sync is not told.
int Sync(sqlite3_file* file, int) {
  Handle& handle = From(file);
  if (handle.disk.Sync(*handle.file) != Result::kOk) return SQLITE_IOERR_FSYNC;
  if (std::exchange(handle.syncs_directory, false)) handle.disk.SyncDirectory();
  return SQLITE_OK;
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  *size = From(file).disk.SizeOf(*From(file).file);
  return From(file).disk.IsOff() ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

// The greatest level that another handle of the file holds.
int OthersLevel(const Handle& handle) {
  int level = SQLITE_LOCK_NONE;
  for (const Handle* other : handle.sharing->handles) {
    if (other != &handle) level = std::max(level, other->level);
  }
  return level;
}
int Lock(sqlite3_file* file, int level) {
  Handle& handle = From(file);
  if (level <= handle.level) return SQLITE_OK;
  const int others = OthersLevel(handle);
  const int most = level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_RESERVED : SQLITE_LOCK_SHARED;
  if (others > most) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
    handle.level = SQLITE_LOCK_PENDING;  // no new readers, until those leave
    return SQLITE_BUSY;
  }
  handle.level = level;
  return SQLITE_OK;
}
int Unlock(sqlite3_file* file, int level) {
  From(file).level = std::min(From(file).level, level);
  return SQLITE_OK;
}
int CheckReservedLock(sqlite3_file* file, int* result) {
  Handle& handle = From(file);
  *result = std::max(handle.level, OthersLevel(handle)) >= SQLITE_LOCK_RESERVED ? 1 : 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4'096; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  Handle& handle = From(file);
  auto& memory = handle.sharing->memory;
  *out = nullptr;
  handle.maps_memory = true;
  const auto index = static_cast<std::size_t>(region);
  if (index >= memory.size() && extend == 0) return SQLITE_OK;
  while (index >= memory.size()) {
    memory.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  }
  *out = memory[index].get();
  return SQLITE_OK;
}
void ReleaseMemoryLocks(Handle& handle, unsigned mask) {
  for (unsigned i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    const unsigned bit = mask & (1u << i);
    if ((handle.exclusive_locks & bit) != 0) handle.sharing->memory_locks[i] = 0;
    if ((handle.shared_locks & bit) != 0) --handle.sharing->memory_locks[i];
  }
  handle.exclusive_locks &= ~mask;
  handle.shared_locks &= ~mask;
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  Handle& handle = From(file);
  const unsigned mask = ((1u << count) - 1) << offset;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    ReleaseMemoryLocks(handle, mask);
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  auto& locks = handle.sharing->memory_locks;
  unsigned& own = exclusive ? handle.exclusive_locks : handle.shared_locks;
  const unsigned fresh = mask & ~own;
  for (unsigned i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    const bool taken = exclusive ? locks[i] != 0 : locks[i] < 0;
    if ((fresh & (1u << i)) != 0 && taken) return SQLITE_BUSY;
  }
  for (unsigned i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    if ((fresh & (1u << i)) != 0) locks[i] = exclusive ? -1 : locks[i] + 1;
  }
  own |= fresh;
  return SQLITE_OK;
}
void ShmBarrier(sqlite3_file*) {}
int ShmUnmap(sqlite3_file* file, int) {
  Handle& handle = From(file);
  ReleaseMemoryLocks(handle, ~0u);
  handle.maps_memory = false;
  const auto maps = [](const Handle* other) { return other->maps_memory; };
  if (std::ranges::none_of(handle.sharing->handles, maps)) handle.sharing->memory.clear();
  return SQLITE_OK;
}

int Close(sqlite3_file* file) {
  ShmUnmap(file, 0);
  const std::unique_ptr<Handle> handle(&From(file));
  std::erase(handle->sharing->handles, handle.get());
  if (!handle->removed_on_close.empty()) handle->disk.Remove(handle->removed_on_close);
  handle->disk.Close(handle->file);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

// The files of which the platform's file system syncs the name with the first sync of each handle
// that might have created it.
constexpr int kLogs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;

}  // namespace

struct SimVfs::Volume {
  SimDisk& disk;
  std::map<const SimDisk::File*, std::weak_ptr<Sharing>> sharings;

  std::shared_ptr<Sharing> SharingOf(const SimDisk::FilePtr& file) {
    std::erase_if(sharings, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Sharing>& known = sharings[file.get()];
    std::shared_ptr<Sharing> sharing = known.lock();
    if (sharing == nullptr) known = sharing = std::make_shared<Sharing>();
    return sharing;
  }

  static SimDisk& DiskOf(sqlite3_vfs* vfs) { return static_cast<Volume*>(vfs->pAppData)->disk; }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                  int* out_flags) {
    Volume& volume = *static_cast<Volume*>(vfs->pAppData);
    file->pMethods = nullptr;
    const std::string name = path == nullptr ? "" : path;
    SimDisk::FilePtr opened = path == nullptr
                                  ? volume.disk.OpenNameless()
                                  : volume.disk.Open(name, (flags & SQLITE_OPEN_CREATE) != 0);
    if (opened == nullptr) return SQLITE_CANTOPEN;
    auto handle = std::make_unique<Handle>(Handle{volume.disk, std::move(opened)});
    handle->sharing = volume.SharingOf(handle->file);
    handle->sharing->handles.push_back(handle.get());
    handle->syncs_directory = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kLogs) != 0;
    if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) handle->removed_on_close = name;
    reinterpret_cast<File*>(file)->handle = handle.release();
    file->pMethods = &kMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    SimDisk& disk = DiskOf(vfs);
    const Result result = disk.Remove(path);
    if (result == Result::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
    if (result != Result::kOk) return SQLITE_IOERR_DELETE;
    if (sync_directory == 0) return SQLITE_OK;
    return Code(disk.SyncDirectory(), SQLITE_IOERR_DIR_FSYNC);
  }
  // As the platform's: an empty file is none.
  static int Access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    const SimDisk& disk = DiskOf(vfs);
    if (disk.IsOff()) return SQLITE_IOERR_ACCESS;
    const bool found = flags == SQLITE_ACCESS_EXISTS ? disk.SizeOf(path) > 0 : disk.Exists(path);
    *result = found ? 1 : 0;
    return SQLITE_OK;
  }
  static int FullPathname(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
  }
  static int Randomness(sqlite3_vfs*, int size, char* out) {
    std::fill_n(out, size, '\0');  // SQLite stirs it into a generator of the whole process
    return size;
  }
  static int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int CurrentTime(sqlite3_vfs*, double* julian_day) {
    *julian_day = 2'460'000.5;
    return SQLITE_OK;
  }
  static int GetLastError(sqlite3_vfs*, int, char*) { return 0; }
};

SimVfs::SimVfs(std::string name, SimDisk& disk)
    : name_(std::move(name)), volume_(new Volume{disk, {}}), vfs_(std::make_unique<sqlite3_vfs>()) {
  WATTMINT_ASSERT(sqlite3_vfs_find(name_.c_str()) == nullptr, "{} is there already", name_);
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(File);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = volume_.get();
  vfs_->xOpen = Volume::Open;
  vfs_->xDelete = Volume::Delete;
  vfs_->xAccess = Volume::Access;
  vfs_->xFullPathname = Volume::FullPathname;
  vfs_->xRandomness = Volume::Randomness;
  vfs_->xSleep = Volume::Sleep;
  vfs_->xCurrentTime = Volume::CurrentTime;
  vfs_->xGetLastError = Volume::GetLastError;
  sqlite3_vfs_register(vfs_.get(), 0);
}

SimVfs::~SimVfs() { sqlite3_vfs_unregister(vfs_.get()); }

}  // namespace wattmint::test
