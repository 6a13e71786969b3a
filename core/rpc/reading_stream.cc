// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/reading_stream.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/rpc/converters.h"
#include "core/rpc/refused_call.h"
#include "core/rpc/status_convert.h"
#include "core/rpc/submissions.h"

#include <utility>

namespace wattmint::rpc {
namespace {

constexpr std::string_view kMethod = "wattmint.v1.ReadingService.StreamReadings";

v1::StreamReadingsResponse Acknowledgement(std::int64_t batch_number,
                                           const std::vector<ingest::Answer>& answers) {
  v1::StreamReadingsResponse out;
  out.set_batch_number(batch_number);
  *out.mutable_counts() = CountsOf(answers);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].outcome != ingest::Outcome::kRejected) continue;
    v1::IndexedResult& rejected = *out.add_rejected();
    rejected.set_index(static_cast<std::int32_t>(i));
    *rejected.mutable_result() = ToProto(answers[i]);
  }
  return out;
}

}  // namespace

ReadingReactor* ReadingStream::Refuse(const absl::Status& status) {
  return new RefusedCall<ReadingReactor>(status);
}

ReadingReactor* ReadingStream::Start(const ReadingStreamPlace& place,
                                     grpc::CallbackServerContext* context,
                                     access::Principal principal) {
  auto stream = std::make_shared<ReadingStream>(place, context, std::move(principal));
  const absl::StatusOr<std::int64_t> number = place.streams.Add(stream, stream->principal_);
  if (!number.ok()) {
    place.audit.Refused(kMethod, &stream->principal_, number.status());
    return Refuse(number.status());
  }
  stream->self_ = stream;
  stream->number_ = *number;
  place.audit.StreamOpened(stream->number_, kMethod, stream->principal_);
  stream->StartSendInitialMetadata();
  {
    base::MutexLock lock(stream->mutex_);
    stream->ReadOnLocked();
  }
  stream->Recheck();  // the key may have gone before anybody knew of this stream
  return stream.get();
}

ReadingStream::ReadingStream(const ReadingStreamPlace& place, grpc::CallbackServerContext* context,
                             access::Principal principal)
    : place_(place),
      context_(context),
      principal_(std::move(principal)),
      start_(place.clock.Steady()) {}

void ReadingStream::OnReadDone(bool ok) {
  base::MutexLock lock(mutex_);
  is_reading_ = false;
  if (ok && !end_.has_value()) {
    is_processing_ = true;
    const bool is_posted =
        place_.workers.Post([stream = shared_from_this()] { stream->Process(); });
    if (is_posted) return;
    is_processing_ = false;
    end_ = IsDraining();
  }
  // The client has said all that it wanted to say.
  if (!end_.has_value()) end_ = absl::OkStatus();
  FinishIfDoneLocked();
}

void ReadingStream::Process() {
  auto submitter = SubmitterOf(principal_, request_.age_policy(), request_.readings_size());
  if (!submitter.ok()) {
    base::MutexLock lock(mutex_);
    is_processing_ = false;
    if (!end_.has_value()) end_ = submitter.status();
    return FinishIfDoneLocked();
  }
  {
    base::MutexLock lock(mutex_);
    ++in_flight_;
  }
  place_.pipeline.Submit(*std::move(submitter), ToCandidates(request_.readings()),
                         [stream = shared_from_this(), number = request_.batch_number()](
                             auto answers) { stream->OnAnswered(number, std::move(answers)); });
  base::MutexLock lock(mutex_);
  is_processing_ = false;
  ReadOnLocked();
  FinishIfDoneLocked();
}

void ReadingStream::OnAnswered(std::int64_t batch_number,
                               absl::StatusOr<std::vector<ingest::Answer>> answers) {
  base::MutexLock lock(mutex_);
  if (has_left_ || !answers.ok()) {
    --in_flight_;
    if (!end_.has_value() || end_->ok()) end_ = answers.status();
    return FinishIfDoneLocked();
  }
  answers_.push_back(Acknowledgement(batch_number, *answers));
  WriteOnLocked();
}

void ReadingStream::OnWriteDone(bool ok) {
  base::MutexLock lock(mutex_);
  is_writing_ = false;
  answers_.pop_front();
  --in_flight_;
  if (!ok) GiveUpLocked();
  WriteOnLocked();
  ReadOnLocked();
  FinishIfDoneLocked();
}

void ReadingStream::OnCancel() {
  base::MutexLock lock(mutex_);
  GiveUpLocked();
  FinishIfDoneLocked();
}

void ReadingStream::OnDone() {
  absl::Status why;
  {
    base::MutexLock lock(mutex_);
    why = end_.value_or(base::Cancelled("the client has left"));
  }
  const auto length = place_.clock.Steady() - start_;
  place_.audit.StreamEnded(number_, std::chrono::duration_cast<base::Duration>(length), why);
  place_.streams.Remove(this);
  self_.reset();
}

void ReadingStream::OnTick(std::chrono::steady_clock::time_point now) {
  if (principal_.expires_at.has_value() && place_.clock.Now() >= *principal_.expires_at) Recheck();
  base::MutexLock lock(mutex_);
  // A write that is under way keeps the call alive, and its end waits for the mutex.
  if (is_writing_ && now - write_start_ > place_.stalled_write_max) context_->TryCancel();
}

void ReadingStream::OnKeyChanged(std::string_view key_id) {
  if (key_id == principal_.key_id) Recheck();
}

void ReadingStream::Recheck() {
  absl::Status status = place_.authenticator.CheckCurrent(principal_);
  if (!status.ok()) EndAfterAnswers(std::move(status));
}

void ReadingStream::OnDrain(base::Duration reconnect_after) {
  EndAfterAnswers(access::WithRetryAfter(IsDraining(), reconnect_after));
}

void ReadingStream::Cancel() {
  base::MutexLock lock(mutex_);
  if (!is_finished_) context_->TryCancel();
}

void ReadingStream::EndAfterAnswers(absl::Status status) {
  base::MutexLock lock(mutex_);
  if (!end_.has_value()) end_ = std::move(status);
  FinishIfDoneLocked();
}

// Nobody takes answers any more: those that are ready are dropped, those to come as they come.
void ReadingStream::GiveUpLocked() {
  has_left_ = true;
  if (!end_.has_value()) end_ = base::Cancelled("the client has left");
  const std::size_t kept = is_writing_ ? 1 : 0;
  while (answers_.size() > kept) {
    answers_.pop_back();
    --in_flight_;
  }
}

void ReadingStream::ReadOnLocked() {
  if (is_reading_ || is_processing_ || end_.has_value() || in_flight_ >= kBatchesInFlightMax) {
    return;
  }
  is_reading_ = true;
  StartRead(&request_);
}

void ReadingStream::WriteOnLocked() {
  if (is_writing_ || answers_.empty()) return;
  is_writing_ = true;
  write_start_ = place_.clock.Steady();
  StartWrite(&answers_.front());
}

// A read that is still under way ends with the call.
void ReadingStream::FinishIfDoneLocked() {
  if (is_finished_ || !end_.has_value() || is_processing_ || is_writing_ || in_flight_ > 0) return;
  is_finished_ = true;
  Finish(ToGrpc(*end_));
}

}  // namespace wattmint::rpc
