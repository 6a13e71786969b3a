// SPDX-License-Identifier: Apache-2.0
#include "cli/check/reference_log.h"

#include "core/base/assert.h"

#include <algorithm>

namespace wattmint::check {
namespace {

constexpr std::size_t kWindowEntries = 1'024;

}  // namespace

void ReferenceLog::Append(const LogEntry& entry) {
  base::MutexLock lock(mutex_);
  entries_.push_back(entry);
  grown_.NotifyAll();
}

void ReferenceLog::Close() {
  base::MutexLock lock(mutex_);
  is_closed_ = true;
  grown_.NotifyAll();
}

std::int64_t ReferenceLog::head() const {
  base::MutexLock lock(mutex_);
  return HeadLocked();
}

bool ReferenceLog::is_closed() const {
  base::MutexLock lock(mutex_);
  return is_closed_;
}

bool ReferenceLog::WaitFor(std::int64_t sequence, std::chrono::microseconds timeout) const {
  base::MutexLock lock(mutex_);
  grown_.WaitFor(mutex_, timeout, [this, sequence]() WATTMINT_REQUIRES(mutex_) {
    return HeadLocked() >= sequence || is_closed_;
  });
  return HeadLocked() >= sequence;
}

std::vector<LogEntry> ReferenceLog::Copy(std::int64_t sequence, std::size_t count) const {
  WATTMINT_ASSERT(sequence >= first_, "event {} is before {}", sequence, first_);
  base::MutexLock lock(mutex_);
  const auto begin = std::min(static_cast<std::size_t>(sequence - first_), entries_.size());
  const auto from = entries_.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto end = from + static_cast<std::ptrdiff_t>(std::min(count, entries_.size() - begin));
  return {from, end};
}

const LogEntry* LogWindow::Find(std::int64_t sequence) {
  if (sequence < log_.first()) return nullptr;
  const auto is_here = [&] {
    return sequence >= begin_ && sequence - begin_ < static_cast<std::int64_t>(entries_.size());
  };
  if (!is_here()) {
    entries_ = log_.Copy(sequence, kWindowEntries);
    begin_ = sequence;
  }
  return is_here() ? &entries_[static_cast<std::size_t>(sequence - begin_)] : nullptr;
}

}  // namespace wattmint::check
