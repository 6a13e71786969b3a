// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wattmint::rpc {

// A call that lives until it is told otherwise. Threads: any; no call may block.
class LiveStream {
 public:
  virtual ~LiveStream() = default;
  // Called about ten times a second.
  virtual void OnTick(std::chrono::steady_clock::time_point now) = 0;
  // An API key has changed; or, if that is empty, the keys for tokens. Whoever came by it asks
  // whether it is still good.
  virtual void OnKeyChanged(std::string_view key_id) = 0;
  virtual void OnDrain(base::Duration reconnect_after) = 0;
  virtual void Cancel() = 0;
};

// Every stream that is open now, and the thread that lets time pass for them.
class LiveStreams {
 public:
  struct Limits {
    std::size_t streams_max = 10'000;
    std::size_t streams_per_user_max = 0;  // of those whom access::ServesOthers() is false; 0: none
  };

  // `clock` must outlive it.
  LiveStreams(base::Clock& clock, const Limits& limits);
  // REQUIRES: every stream has ended.
  ~LiveStreams();
  LiveStreams(const LiveStreams&) = delete;
  LiveStreams& operator=(const LiveStreams&) = delete;

  // `owner` has opened it; answers its number, from 1. Errors: kUnavailable with DRAINING;
  // kResourceExhausted with OVERLOADED, or with TOO_MANY_STREAMS of that user.
  absl::StatusOr<std::int64_t> Add(std::shared_ptr<LiveStream> stream,
                                   const access::Principal& owner) WATTMINT_EXCLUDES(mutex_);
  void Remove(const LiveStream* stream) WATTMINT_EXCLUDES(mutex_);
  // kUnavailable with DRAINING once Drain() was called.
  absl::Status CheckOpen() const WATTMINT_EXCLUDES(mutex_);

  void KeyChanged(std::string_view key_id);
  // `delay` is asked for each stream.
  void Drain(const std::function<base::Duration()>& delay);
  // True if every stream has ended in time.
  bool WaitUntilEmpty(base::Duration timeout) WATTMINT_EXCLUDES(mutex_);
  void CancelAll();
  std::size_t size() const WATTMINT_EXCLUDES(mutex_);

 private:
  // shared: with the call itself, so that a stream may end while it is being told something.
  using Streams = std::vector<std::shared_ptr<LiveStream>>;
  struct Open {
    std::shared_ptr<LiveStream> stream;
    std::optional<std::string> user_id;  // whose limit it counts for
  };

  Streams All() const WATTMINT_EXCLUDES(mutex_);
  void TickLoop();

  base::Clock& clock_;
  const Limits limits_;
  mutable base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  absl::flat_hash_map<const LiveStream*, Open> streams_ WATTMINT_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::size_t> counts_by_user_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t added_ WATTMINT_GUARDED_BY(mutex_) = 0;
  bool is_draining_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::thread ticker_;
};

}  // namespace wattmint::rpc
