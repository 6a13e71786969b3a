// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <csignal>
#include <functional>

namespace wattmint::cli {

// SIGINT and SIGTERM, waited for instead of handled. While it lives they do not end the process.
// Threads: made before any other thread starts, so that all of them inherit the mask; one waits.
class StopSignal {
 public:
  // What SIGHUP does: it ends the process, as ever; or it is waited for as well, and is news.
  enum class Hangup { kEnds, kIsNews };

  explicit StopSignal(Hangup hangup = Hangup::kEnds);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Until SIGINT or SIGTERM comes. `on_hangup` is called whenever SIGHUP does.
  void Wait(const std::function<void()>& on_hangup = [] {});
  // Whether one came within this time.
  bool WaitFor(base::Duration timeout);
  // Can be read from once one came, for whoever waits for other descriptors as well. Errors:
  // kUnavailable, the system's.
  absl::StatusOr<base::UniqueFd> Descriptor() const;

 private:
  sigset_t signals_;
  sigset_t mask_before_;
};

}  // namespace wattmint::cli
