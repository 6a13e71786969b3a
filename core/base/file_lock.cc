// SPDX-License-Identifier: Apache-2.0
#include "core/base/file_lock.h"

#include "core/base/status.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

namespace wattmint::base {
namespace {

constexpr size_t kPidLengthMax = 20;

std::string ReadPid(int fd) {
  std::array<char, kPidLengthMax> text;
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  const std::string pid(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return pid.empty() ? "unknown" : pid;
}

bool WritePid(int fd) {
  const std::string pid = std::to_string(getpid());
  return ftruncate(fd, 0) == 0 &&
         pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.IsOpen()) return absl::ErrnoToStatus(errno, fmt::format("open {}", path.native()));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return absl::ErrnoToStatus(errno, fmt::format("lock {}", path.native()));
    }
    return FailedPrecondition("{} is held by process {}; stop it first", path.native(),
                              ReadPid(fd.get()));
  }
  if (!WritePid(fd.get())) {
    return absl::ErrnoToStatus(errno, fmt::format("write {}", path.native()));
  }
  return FileLock(std::move(fd));
}

}  // namespace wattmint::base
