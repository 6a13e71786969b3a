// SPDX-License-Identifier: Apache-2.0
#include "core/client/reading_sender.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <utility>

namespace wattmint::client {

struct ReadingSender::Stream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamReadingsRequest, v1::StreamReadingsResponse>>
      calls;
};

ReadingSender::ReadingSender(std::shared_ptr<grpc::Channel> channel, Options options,
                             Acknowledged acknowledged, Lost lost)
    : channel_(std::move(channel)),
      options_(std::move(options)),
      acknowledged_(std::move(acknowledged)),
      lost_(std::move(lost)) {
  WATTMINT_ASSERT(options_.batches_in_flight_max >= 1, "nothing could be sent");
}

ReadingSender::~ReadingSender() {
  Cancel();
  CloseStream().IgnoreError();
}

absl::Status ReadingSender::Send(v1::StreamReadingsRequest batch) {
  if (waiting_.empty()) last_progress_ = std::chrono::steady_clock::now();
  batch.set_batch_number(next_number_++);
  waiting_.push_back(std::move(batch));
  return Settle(static_cast<std::size_t>(options_.batches_in_flight_max) - 1);
}

absl::Status ReadingSender::Finish() {
  WATTMINT_RETURN_IF_ERROR(Settle(0));
  if (stream_ != nullptr) stream_->calls->WritesDone();
  CloseStream().IgnoreError();  // everything is acknowledged: the end of the call says no more
  return absl::OkStatus();
}

// Sends what was not sent, and takes acknowledgements until at most so many batches are in flight.
absl::Status ReadingSender::Settle(std::size_t in_flight_max) {
  for (;;) {
    if (IsCancelled()) return base::Cancelled("cancelled");
    if (stream_ == nullptr) WATTMINT_RETURN_IF_ERROR(Connect());
    const bool written = WriteUnsent();
    if (written && waiting_.size() <= in_flight_max) return absl::OkStatus();
    if (!written || !ReadAcknowledgement()) WATTMINT_RETURN_IF_ERROR(Recover());
  }
}

absl::Status ReadingSender::Connect() {
  auto stream = std::make_unique<Stream>();
  Attach(options_.credential, stream->context);
  stream->calls = v1::ReadingService::NewStub(channel_)->StreamReadings(&stream->context);
  sent_ = 0;
  base::MutexLock lock(mutex_);
  if (cancelled_) stream->context.TryCancel();
  stream_ = std::move(stream);
  return absl::OkStatus();
}

bool ReadingSender::WriteUnsent() {
  while (sent_ < waiting_.size()) {
    if (!stream_->calls->Write(waiting_[sent_])) return false;
    ++sent_;
  }
  return true;
}

bool ReadingSender::ReadAcknowledgement() {
  v1::StreamReadingsResponse answer;
  if (!stream_->calls->Read(&answer)) return false;
  if (answer.batch_number() != waiting_.front().batch_number()) return false;
  acknowledged_(waiting_.front(), answer);
  waiting_.pop_front();
  --sent_;
  failures_ = 0;
  last_progress_ = std::chrono::steady_clock::now();
  return true;
}

absl::Status ReadingSender::Recover() {
  const absl::Status why = CloseStream();
  if (IsCancelled()) return base::Cancelled("cancelled");
  const auto since = std::chrono::steady_clock::now() - last_progress_;
  if (!IsTransient(why) || since > options_.give_up_after) return why;
  const base::Duration delay = RetryDelay(why, options_.backoff, ++failures_, random_);
  lost_(why, delay);
  base::MutexLock lock(mutex_);
  wake_.WaitFor(mutex_, delay, [this]() WATTMINT_REQUIRES(mutex_) { return cancelled_; });
  return absl::OkStatus();
}

// Ends the stream and tells how it ended.
absl::Status ReadingSender::CloseStream() {
  if (stream_ == nullptr) return absl::OkStatus();
  // What is still on its way is sent again later; Finish() waits until everything has been read.
  if (!waiting_.empty()) {
    v1::StreamReadingsResponse unread;
    stream_->calls->WritesDone();
    while (stream_->calls->Read(&unread)) {
    }
  }
  const absl::Status status = FromGrpc(stream_->calls->Finish());
  base::MutexLock lock(mutex_);
  stream_.reset();
  return status.ok() ? base::Unavailable("the server ended the stream") : status;
}

void ReadingSender::Cancel() {
  base::MutexLock lock(mutex_);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->context.TryCancel();
  wake_.NotifyAll();
}

bool ReadingSender::IsCancelled() const {
  base::MutexLock lock(mutex_);
  return cancelled_;
}

}  // namespace wattmint::client
