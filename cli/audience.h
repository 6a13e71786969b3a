// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/client/credential.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace grpc {
class ByteBuffer;
class Channel;
}  // namespace grpc

namespace wattmint::cli {

// How many events a serialised SubscribeResponse holds; 0: it is of another kind.
// kDataLoss for bytes that are none.
absl::StatusOr<std::int64_t> CountEvents(const grpc::ByteBuffer& message);

// Subscribers that count what they receive and look at nothing else, so that a benchmark measures
// the server and not them.
//
// Steps: when each of them has received `step_events` more, the audience is one step further.
// Threads: any. Lifetime: the destructor ends all streams.
class Audience {
 public:
  struct Options {
    std::int64_t subscribers = 0;  // that will be added
    std::int64_t step_events = 1;
    std::int64_t steps_max = 0;  // so many are counted
  };
  explicit Audience(Options options);
  ~Audience();
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;

  // Opens one more stream with this serialised SubscribeRequest.
  void Add(const std::shared_ptr<grpc::Channel>& channel, const client::Credential& credential,
           const std::string& request);

  // Waits until each has caught up or ended. kDeadlineExceeded with how far it came.
  absl::Status AwaitCaughtUp(base::Duration timeout);
  // Wait for so much; the same, or the error of the first stream that ended.
  absl::Status AwaitEvents(std::int64_t count, base::Duration timeout);  // of all together
  absl::Status AwaitSteps(std::int64_t count, base::Duration timeout);
  // When step `number` (from 0) was reached. REQUIRES: AwaitSteps(number + 1) was OK.
  std::chrono::steady_clock::time_point TimeOfStep(std::int64_t number) const;

  std::int64_t events() const { return events_.load(); }
  std::int64_t messages() const { return messages_.load(); }
  // Streams that ended by themselves.
  std::int64_t errors() const;
  // Streams that have caught up so far.
  std::int64_t caught_up() const;

  // The stream that was added last reads no more until Resume().
  void PauseLast();
  void ResumeLast();
  // Ends all streams, and waits for that.
  void Close();

 private:
  class Subscriber;
  struct Step {
    std::atomic<std::int64_t> subscribers{0};
    std::chrono::steady_clock::time_point time;
  };

  template <typename Predicate>
  absl::Status AwaitLocked(base::Duration timeout, Predicate predicate) WATTMINT_REQUIRES(mutex_);
  void CountMessage(std::int64_t events, std::int64_t before);
  void CountCaughtUp();
  void CountEnd(const absl::Status& status);

  const Options options_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<Step> steps_;
  std::atomic<std::int64_t> events_{0};
  std::atomic<std::int64_t> messages_{0};
  std::atomic<std::int64_t> events_wanted_{0};

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  std::int64_t steps_done_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::int64_t caught_up_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::int64_t ended_ WATTMINT_GUARDED_BY(mutex_) = 0;
  bool is_closing_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::int64_t errors_ WATTMINT_GUARDED_BY(mutex_) = 0;
  absl::Status first_error_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::cli
