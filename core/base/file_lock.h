// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <filesystem>

namespace wattmint::base {

// Holds a path for one process, until destroyed or until the process ends in whatever way. The file
// stays; its content is the process id of the last holder.
class FileLock {
 public:
  // Creates the file if there is none. Errors: kFailedPrecondition with the process id of the
  // holder if it is held, also by this process; otherwise that of the file system.
  static absl::StatusOr<FileLock> Acquire(const std::filesystem::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace wattmint::base
