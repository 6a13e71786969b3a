// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/violation.h"
#include "core/base/mutex.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace wattmint::check {

// Whether the events of one change are in the log all or not at all. Two kinds of change have
// several events of which the first tells that the last must be there: a reading that is to be
// minted, and its mint task; a mint task that is confirmed, and its tokens. Then nobody may ever
// have been told that the log ends between them.
//
// Threads: any.
class AtomicityJudge {
 public:
  explicit AtomicityJudge(ViolationSink& sink) : sink_(sink) {}

  // The change of that name has its first event here, and its last one.
  void OnBegun(std::int64_t sequence, const std::string& change) WATTMINT_EXCLUDES(mutex_);
  void OnEnded(std::int64_t sequence, const std::string& change) WATTMINT_EXCLUDES(mutex_);
  // A server said that the log ends here.
  void OnHead(std::int64_t sequence) WATTMINT_EXCLUDES(mutex_);

  // The log has been told up to a place where it ended.
  void Finish() WATTMINT_EXCLUDES(mutex_);

 private:
  struct Change {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };

  ViolationSink& sink_;
  base::Mutex mutex_;                                                     // guards all below
  std::map<std::string, std::int64_t> open_ WATTMINT_GUARDED_BY(mutex_);  // name: first event
  std::vector<Change> changes_ WATTMINT_GUARDED_BY(mutex_);               // by their last events
  std::set<std::int64_t> heads_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::check
