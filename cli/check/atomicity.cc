// SPDX-License-Identifier: Apache-2.0
#include "cli/check/atomicity.h"

#include <fmt/format.h>

namespace wattmint::check {
namespace {

constexpr char kLog[] = "log";

}  // namespace

void AtomicityJudge::OnBegun(std::int64_t sequence, const std::string& change) {
  base::MutexLock lock(mutex_);
  open_.emplace(change, sequence);
}

void AtomicityJudge::OnEnded(std::int64_t sequence, const std::string& change) {
  base::MutexLock lock(mutex_);
  const auto begun = open_.find(change);
  if (begun == open_.end()) {
    lock.Unlock();
    return sink_.Report({Guarantee::kAtomic, kLog, sequence,
                         fmt::format("the event before it of {} is missing", change)});
  }
  changes_.push_back({begun->second, sequence});
  open_.erase(begun);
}

void AtomicityJudge::OnHead(std::int64_t sequence) {
  base::MutexLock lock(mutex_);
  heads_.insert(sequence);
}

void AtomicityJudge::Finish() {
  std::vector<Violation> found;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [change, first] : open_) {
      found.push_back({Guarantee::kAtomic, kLog, first,
                       fmt::format("the event behind it of {} is missing", change)});
    }
    for (const auto& [first, last] : changes_) {
      const auto head = heads_.lower_bound(first);
      if (head == heads_.end() || *head >= last) continue;
      found.push_back({Guarantee::kAtomic, kLog, *head,
                       fmt::format("the log was said to end here, within the change of events {} "
                                   "to {}",
                                   first, last)});
    }
    open_.clear();
    changes_.clear();
  }
  for (Violation& violation : found) sink_.Report(std::move(violation));
}

}  // namespace wattmint::check
