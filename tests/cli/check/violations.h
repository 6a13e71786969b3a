// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/violation.h"
#include "core/base/mutex.h"

#include <string>
#include <utility>
#include <vector>

namespace wattmint::check {

// Keeps what is found, as "unique 7".
class Violations final : public ViolationSink {
 public:
  void Report(Violation violation) override {
    base::MutexLock lock(mutex_);
    found_.push_back(std::string(Name(violation.guarantee)) + " " +
                     std::to_string(violation.sequence));
  }
  // What was found since the last call.
  std::vector<std::string> Take() {
    base::MutexLock lock(mutex_);
    return std::exchange(found_, {});
  }

 private:
  base::Mutex mutex_;  // guards all below
  std::vector<std::string> found_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::check
