// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wattmint::bridge {

// How many sessions are subscribed to each channel. Threads: any.
class ChannelCounts {
 public:
  // By canonical name; each at least 1.
  using Counts = std::map<std::string, std::int64_t>;

  // A session was subscribed to `before`, and is to `now`; each names a channel once.
  void Change(const std::vector<std::string>& before, const std::vector<std::string>& now)
      WATTMINT_EXCLUDES(mutex_) {
    if (before.empty() && now.empty()) return;
    base::MutexLock lock(mutex_);
    total_ += static_cast<std::int64_t>(now.size()) - static_cast<std::int64_t>(before.size());
    for (const std::string& name : now) ++counts_[name];
    for (const std::string& name : before) {
      const auto count = counts_.find(name);
      if (count != counts_.end() && --count->second == 0) counts_.erase(count);
    }
  }

  // Channels that somebody is subscribed to; for admins, since who subscribes learns of others by
  // it.
  Counts all() const WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return counts_;
  }
  // Subscriptions of all sessions, which tells nobody of whom.
  std::int64_t total() const WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return total_;
  }

 private:
  mutable base::Mutex mutex_;  // guards all below
  std::int64_t total_ WATTMINT_GUARDED_BY(mutex_) = 0;
  Counts counts_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::bridge
