// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wattmint::cli {

// The file of an audit log: lines are appended, each by one write, so that several processes may
// share it. Made with mode 0600; one that is there keeps its mode. A line is with the kernel when
// Write() returns, so a program that dies loses none.
//
// What cannot be written (a full disk) is lost, which the log of the program says.
// Threads: any.
class AuditFile {
 public:
  // Errors: kUnavailable with the system's reason.
  static absl::StatusOr<std::unique_ptr<AuditFile>> Open(std::string path);
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  void Write(std::string_view line) WATTMINT_EXCLUDES(mutex_);
  // Goes on in the file that has the name now: after somebody has moved the old one away. After an
  // error in the old one.
  absl::Status Reopen() WATTMINT_EXCLUDES(mutex_);
  void ReopenOrLog() WATTMINT_EXCLUDES(mutex_);

 private:
  AuditFile(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  static absl::StatusOr<base::UniqueFd> OpenFile(const std::string& path);

  const std::string path_;
  base::Mutex mutex_;  // guards all below
  base::UniqueFd fd_ WATTMINT_GUARDED_BY(mutex_);
  bool is_torn_ WATTMINT_GUARDED_BY(mutex_) = false;   // the last line was written in part
  std::int64_t lost_ WATTMINT_GUARDED_BY(mutex_) = 0;  // lines since the last that was written
};

}  // namespace wattmint::cli
