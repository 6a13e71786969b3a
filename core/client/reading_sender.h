// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/backoff.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/client/channel.h"
#include "wattmint/v1/reading.pb.h"

#include <absl/status/status.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace wattmint::client {

// Submits batches of readings over one stream, some in flight at a time, and sends again what was
// not acknowledged whenever the connection was lost; a reading that was stored before is then
// answered EXISTS.
//
// Threads: one; Cancel() from any. Everything, callbacks included, happens within Send() and
// Finish().
class ReadingSender {
 public:
  struct Options {
    Credential credential;
    int batches_in_flight_max = 8;
    base::BackoffOptions backoff;
    // Without an acknowledgement for so long it gives up. Chosen: outlasts a restart.
    base::Duration give_up_after = std::chrono::minutes(2);
  };
  // A batch and its acknowledgement, in the order of Send().
  using Acknowledged =
      std::function<void(const v1::StreamReadingsRequest&, const v1::StreamReadingsResponse&)>;
  // The connection is gone; the next attempt is after `retry_in`.
  using Lost = std::function<void(const absl::Status& why, base::Duration retry_in)>;

  ReadingSender(std::shared_ptr<grpc::Channel> channel, Options options, Acknowledged acknowledged,
                Lost lost);
  ~ReadingSender();
  ReadingSender(const ReadingSender&) = delete;
  ReadingSender& operator=(const ReadingSender&) = delete;

  // Sends; blocks while too many batches are in flight. Numbers the batch itself. After an error,
  // which is permanent, nothing but the destructor may be called.
  absl::Status Send(v1::StreamReadingsRequest batch);
  // Waits until everything is acknowledged.
  absl::Status Finish();
  // Ends Send() and Finish() with kCancelled.
  void Cancel() WATTMINT_EXCLUDES(mutex_);

 private:
  struct Stream;

  absl::Status Settle(std::size_t in_flight_max);
  absl::Status Connect();
  bool WriteUnsent();
  bool ReadAcknowledgement();
  absl::Status Recover();
  absl::Status CloseStream();
  bool IsCancelled() const WATTMINT_EXCLUDES(mutex_);

  const std::shared_ptr<grpc::Channel> channel_;  // shared: with other users of the channel
  const Options options_;
  const Acknowledged acknowledged_;
  const Lost lost_;
  base::SystemRandom random_;

  std::deque<v1::StreamReadingsRequest> waiting_;  // not acknowledged, by number
  std::size_t sent_ = 0;                           // of these, from the front, on this stream
  std::int64_t next_number_ = 1;
  int failures_ = 0;
  std::chrono::steady_clock::time_point last_progress_;

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar wake_;
  bool cancelled_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Stream> stream_;  // replaced under the mutex, used by the sender's thread
};

}  // namespace wattmint::client
