// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key_table.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/store/commit_queue.h"

#include <absl/status/status.h>

#include <chrono>
#include <functional>

namespace wattmint::access {

// Writes down when API keys were used last, off the way of every call: those of the last minute in
// one commit, and none if no key was used. A crash loses a minute.
//
// Threads: Run() on one, which nothing else waits for; WriteNow() on one at a time; Stop() from
// any. Lifetime: what it is given must outlive it, and the queue be stopped after Run() has ended.
class KeyUseRecorder {
 public:
  struct Options {
    base::Duration interval = std::chrono::minutes(1);  // as exact as the times are
  };
  // Called with what could not be written, on the thread of Run(); it is tried again.
  using OnTrouble = std::function<void(const absl::Status&)>;

  KeyUseRecorder(const Options& options, store::CommitQueue& queue, ApiKeyTable& table,
                 OnTrouble on_trouble);

  // Works until Stop(), and writes what is left.
  void Run() WATTMINT_EXCLUDES(mutex_);
  void Stop() WATTMINT_EXCLUDES(mutex_);

  // Errors: those of the queue.
  absl::Status WriteNow();

 private:
  const Options options_;
  store::CommitQueue& queue_;
  ApiKeyTable& table_;
  const OnTrouble on_trouble_;

  base::Mutex mutex_;  // guards all below
  base::CondVar stopped_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
};

}  // namespace wattmint::access
