// SPDX-License-Identifier: Apache-2.0
#include "cli/check/grpc_subscriber.h"

#include "cli/check/observed_event.h"

#include <chrono>
#include <utility>

namespace wattmint::check {
namespace {

// Quicker than that of a client in service, so that a check gets much done.
constexpr base::BackoffOptions kBackoff{.initial = std::chrono::milliseconds(100),
                                        .cap = std::chrono::milliseconds(2'000)};

}  // namespace

GrpcSubscriber::GrpcSubscriber(Options options, AtomicityJudge& atomicity,
                               std::unique_ptr<Witness> witness)
    : options_(std::move(options)), atomicity_(atomicity), witness_(std::move(witness)) {}

void GrpcSubscriber::Stop() {
  if (stream_ != nullptr) stream_->Stop();
}

void GrpcSubscriber::Cut(Witness::Place place) {
  stream_->Stop();
  const client::StreamPosition position = stream_->position();
  stream_.reset();
  witness_->OnCut(place);
  v1::SubscribeRequest request = options_.request;
  if (place == Witness::Place::kBookmark) {
    request.set_cursor(bookmark_);
  } else if (!position.cursor.empty()) {
    request.set_cursor(position.cursor);
    request.set_last_sequence(position.last_sequence);
  }
  Open(request);
}

void GrpcSubscriber::Open(const v1::SubscribeRequest& request) {
  client::EventSubscriber::Options options;
  options.credential = options_.credential;
  options.request = request;
  options.backoff = kBackoff;
  stream_ = std::make_unique<client::EventSubscriber>(client::OpenChannel(options_.core),
                                                      std::move(options), *this);
  stream_->Start();
}

void GrpcSubscriber::OnEstablished(const v1::Established& established) {
  atomicity_.OnHead(established.head_sequence());
  witness_->OnEstablished(established.head_sequence());
}

void GrpcSubscriber::OnEvents(std::span<const client::RawEvent> events) {
  received_.clear();
  for (const client::RawEvent& event : events) {
    received_.push_back({event.sequence, DigestOfPayload(event.payload)});
  }
  witness_->OnEvents(received_);
}

void GrpcSubscriber::OnHeartbeat(std::int64_t head_sequence, std::int64_t delivered_sequence) {
  atomicity_.OnHead(head_sequence);
  bookmark_ = stream_->position().cursor;
  witness_->OnHeartbeat(head_sequence, delivered_sequence, bookmark_);
}

void GrpcSubscriber::OnLost(const absl::Status& /*why*/, base::Duration /*retry_in*/) {
  witness_->OnLost();
}

}  // namespace wattmint::check
