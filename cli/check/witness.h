// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/judge.h"
#include "cli/check/plan.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

#include <absl/status/status.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wattmint::check {

// What the streams of one subscriber tell, whatever brings them: passed on to its judge once the
// log has come so far, and counted.
//
// Threads: any; the On...() of one stream come from one. Lifetime: all references must outlive it.
class Witness {
 public:
  // `patience`: how long the log may take to have what was delivered.
  Witness(const SubscriberPlan& plan, const ReferenceLog& log, ViolationSink& sink,
          base::Duration patience);

  void OnEstablished(std::int64_t head) WATTMINT_EXCLUDES(mutex_);
  void OnEvents(std::span<const Judge::Received> events) WATTMINT_EXCLUDES(mutex_);
  void OnHeartbeat(std::int64_t head, std::int64_t delivered, std::string_view cursor)
      WATTMINT_EXCLUDES(mutex_);
  void OnCaughtUp() WATTMINT_EXCLUDES(mutex_);
  void OnFellBehind() WATTMINT_EXCLUDES(mutex_);
  // The connection ended by itself.
  void OnLost() WATTMINT_EXCLUDES(mutex_);
  // The server refuses to go on.
  void OnRefused(const absl::Status& why) WATTMINT_EXCLUDES(mutex_);

  // The subscriber is about to end its connection: the next stream goes on from `place`.
  enum class Place { kLastEvent, kBookmark };
  void OnCut(Place place) WATTMINT_EXCLUDES(mutex_);

  bool is_established() const WATTMINT_EXCLUDES(mutex_);
  // How long it has had no stream.
  base::Duration away() const WATTMINT_EXCLUDES(mutex_);
  // Why there will be no more streams.
  absl::Status refused() const WATTMINT_EXCLUDES(mutex_);
  bool HasAll(std::int64_t head) WATTMINT_EXCLUDES(mutex_);
  std::optional<std::int64_t> bookmark() const WATTMINT_EXCLUDES(mutex_);
  void Finish(std::int64_t head) WATTMINT_EXCLUDES(mutex_);

  struct Counts {
    std::int64_t delivered = 0;
    std::int64_t streams = 0;
    std::int64_t cuts = 0;
    std::int64_t losses = 0;
  };
  Counts counts() const WATTMINT_EXCLUDES(mutex_);
  const std::string& name() const { return name_; }
  bool is_websocket() const { return is_websocket_; }

 private:
  // False when the check ends, and nothing can be judged any more.
  bool AwaitLog(std::int64_t sequence) const;
  void MarkAway() WATTMINT_REQUIRES(mutex_);

  const std::string name_;
  const bool is_websocket_;
  const Beginning beginning_;
  const ReferenceLog& log_;
  const base::Duration patience_;

  mutable base::Mutex mutex_;  // guards all below
  Judge judge_ WATTMINT_GUARDED_BY(mutex_);
  Counts counts_ WATTMINT_GUARDED_BY(mutex_);
  bool is_established_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool resumes_at_bookmark_ WATTMINT_GUARDED_BY(mutex_) = false;
  absl::Status refused_ WATTMINT_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point away_since_ WATTMINT_GUARDED_BY(mutex_) =
      std::chrono::steady_clock::now();
};

}  // namespace wattmint::check
