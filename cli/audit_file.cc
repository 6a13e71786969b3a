// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_file.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace wattmint::cli {

absl::StatusOr<base::UniqueFd> AuditFile::OpenFile(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (fd.IsOpen()) return fd;
  return base::Unavailable("the audit log {} cannot be opened: {}", path, std::strerror(errno));
}

absl::StatusOr<std::unique_ptr<AuditFile>> AuditFile::Open(std::string path) {
  WATTMINT_ASSIGN_OR_RETURN(base::UniqueFd fd, OpenFile(path));
  return std::unique_ptr<AuditFile>(new AuditFile(std::move(path), std::move(fd)));
}

void AuditFile::Write(std::string_view line) {
  base::MutexLock lock(mutex_);
  std::string text = is_torn_ ? "\n" : "";  // what was written in part stays a line of its own
  text.append(line) += '\n';
  ssize_t written = 0;
  do {
    written = write(fd_.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  const std::string why = written < 0 ? std::strerror(errno) : "not enough room";
  const bool is_written = written == static_cast<ssize_t>(text.size());
  if (written > 0) is_torn_ = !is_written;
  const std::int64_t lost = std::exchange(lost_, is_written ? 0 : lost_ + 1);
  lock.Unlock();
  if (!is_written && lost == 0) {
    spdlog::error("the audit log {} cannot be written, lines are lost: {}", path_, why);
  }
  if (is_written && lost > 0) {
    spdlog::error("the audit log {} can be written again, {} lines were lost", path_, lost);
  }
}

void AuditFile::ReopenOrLog() {
  if (const absl::Status status = Reopen(); !status.ok()) {
    spdlog::error("{}", base::Message(status));
  }
}

absl::Status AuditFile::Reopen() {
  WATTMINT_ASSIGN_OR_RETURN(base::UniqueFd fd, OpenFile(path_));
  base::MutexLock lock(mutex_);
  fd_ = std::move(fd);
  return absl::OkStatus();
}

}  // namespace wattmint::cli
