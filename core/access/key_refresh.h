// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/jwt_verifier.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace wattmint::access {

// Reads the keys of a JwtVerifier again: on schedule, when a token names a key that is not known,
// and when it is asked to. What cannot be had leaves the keys as they are.
//
// Threads: Run() on one, which nothing else waits for: it waits for files and for the network. The
// rest from any, and never waits. Lifetime: verifier and clock must outlive it.
class KeyRefresh {
 public:
  struct Options {
    base::Duration interval = std::chrono::minutes(5);
    // After a token has caused a look, no other does for so long: chosen, few enough for any
    // issuer.
    base::Duration token_gap = std::chrono::seconds(10);
  };
  // Both are called on the thread of Run(): after other keys came, and with what could not be had,
  // if that is another trouble than the last.
  using OnChange = std::function<void()>;
  using OnTrouble = std::function<void(const absl::Status&)>;

  struct State {
    base::Time last_success{};  // the opening of the verifier counts
    std::int64_t failed = 0;
  };

  KeyRefresh(const Options& options, JwtVerifier& verifier, base::Clock& clock, OnChange on_change,
             OnTrouble on_trouble);

  // Works until Stop(), which also ends a look that is under way.
  void Run() WATTMINT_EXCLUDES(mutex_);
  void Stop() WATTMINT_EXCLUDES(mutex_);

  // Looks now.
  void Wake() WATTMINT_EXCLUDES(mutex_);
  // A token names a key that is not known. Whether a look is under way or has been caused, so that
  // the token may be good in a moment.
  bool OnUnknownKey() WATTMINT_EXCLUDES(mutex_);

  State state() const WATTMINT_EXCLUDES(mutex_);

 private:
  bool WaitUntilDue() WATTMINT_EXCLUDES(mutex_);
  void Settle(const absl::StatusOr<bool>& has_changed) WATTMINT_EXCLUDES(mutex_);
  bool IsStopping() const WATTMINT_EXCLUDES(mutex_);

  const Options options_;
  JwtVerifier& verifier_;
  base::Clock& clock_;
  const OnChange on_change_;
  const OnTrouble on_trouble_;
  std::string last_trouble_;  // only on the thread of Run()

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_wanted_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_looking_ WATTMINT_GUARDED_BY(mutex_) = false;
  // By `clock`: tokens cause no look before it.
  std::chrono::steady_clock::time_point tokens_from_ WATTMINT_GUARDED_BY(mutex_);
  State state_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::access
