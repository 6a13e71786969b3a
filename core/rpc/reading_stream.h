// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/audit_log.h"
#include "core/access/authenticator.h"
#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/thread_pool.h"
#include "core/ingest/pipeline.h"
#include "core/rpc/live_streams.h"
#include "wattmint/v1/reading.pb.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace wattmint::rpc {

using ReadingReactor =
    grpc::ServerBidiReactor<v1::StreamReadingsRequest, v1::StreamReadingsResponse>;

// What all reading streams of a server share. Everything must outlive every stream.
struct ReadingStreamPlace {
  ingest::Pipeline& pipeline;
  access::Authenticator& authenticator;
  base::Clock& clock;
  LiveStreams& streams;
  access::AuditLog& audit;
  base::ThreadPool& workers;
  base::Duration stalled_write_max;
};

// Batches of one call that were read and whose acknowledgement the client has not yet taken: what
// bounds the memory of a call. Chosen: enough to keep the writer busy.
inline constexpr int kBatchesInFlightMax = 8;

// One call of StreamReadings: reads a batch, submits it, and acknowledges in order of arrival.
//
// Threads: gRPC's, the workers' for one batch at a time, the acknowledger's for answers, any for
// LiveStream. Lifetime: keeps itself until gRPC says OnDone().
class ReadingStream final : public ReadingReactor,
                            public LiveStream,
                            public std::enable_shared_from_this<ReadingStream> {
 public:
  // The reactor of the call; one that ends at once if there is no room.
  static ReadingReactor* Start(const ReadingStreamPlace& place,
                               grpc::CallbackServerContext* context, access::Principal principal);
  // A reactor that ends at once.
  static ReadingReactor* Refuse(const absl::Status& status);

  ReadingStream(const ReadingStreamPlace& place, grpc::CallbackServerContext* context,
                access::Principal principal);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void OnTick(std::chrono::steady_clock::time_point now) override;
  void OnKeyChanged(std::string_view key_id) override;
  void OnDrain(base::Duration reconnect_after) override;
  void Cancel() override;

 private:
  void Process();
  // Ends if the credential is no longer good.
  void Recheck() WATTMINT_EXCLUDES(mutex_);
  void OnAnswered(std::int64_t batch_number, absl::StatusOr<std::vector<ingest::Answer>> answers)
      WATTMINT_EXCLUDES(mutex_);
  void EndAfterAnswers(absl::Status status) WATTMINT_EXCLUDES(mutex_);
  void GiveUpLocked() WATTMINT_REQUIRES(mutex_);
  void ReadOnLocked() WATTMINT_REQUIRES(mutex_);
  void WriteOnLocked() WATTMINT_REQUIRES(mutex_);
  void FinishIfDoneLocked() WATTMINT_REQUIRES(mutex_);

  const ReadingStreamPlace& place_;
  grpc::CallbackServerContext* const context_;
  const access::Principal principal_;
  std::shared_ptr<ReadingStream> self_;  // shared: with LiveStreams and with work under way
  std::int64_t number_ = 0;              // in the audit log
  const std::chrono::steady_clock::time_point start_;

  v1::StreamReadingsRequest request_;  // gRPC's while reading, else the worker's

  base::Mutex mutex_;  // guards all below
  bool is_reading_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_processing_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_writing_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool has_left_ WATTMINT_GUARDED_BY(mutex_) = false;  // the client: nobody takes answers
  bool is_finished_ WATTMINT_GUARDED_BY(mutex_) = false;
  int in_flight_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::deque<v1::StreamReadingsResponse> answers_ WATTMINT_GUARDED_BY(mutex_);  // front: written
  std::optional<absl::Status> end_ WATTMINT_GUARDED_BY(mutex_);  // no more is read once it is set
  std::chrono::steady_clock::time_point write_start_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::rpc
