// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/client/channel.h"
#include "wattmint/v1/event.grpc.pb.h"

#include <absl/status/status.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wattmint::test {

// One call of Subscribe, read by the test's own thread. Every read has the deadline of the call.
class EventReader {
 public:
  EventReader(v1::EventService::Stub& stub, const client::Credential& credential,
              const v1::SubscribeRequest& request,
              base::Duration timeout = std::chrono::seconds(30)) {
    client::Attach(credential, context_);
    client::SetTimeout(timeout, context_);
    reader_ = stub.Subscribe(&context_, request);
  }
  ~EventReader() {
    if (reader_ == nullptr) return;
    context_.TryCancel();
    reader_->Finish();
  }

  // The next message; nothing at the end of the stream.
  std::optional<v1::SubscribeResponse> Next() {
    v1::SubscribeResponse message;
    if (!reader_->Read(&message)) return std::nullopt;
    return message;
  }
  // Reads on to the next message of this kind and keeps the events on the way.
  std::optional<v1::SubscribeResponse> SkipTo(v1::SubscribeResponse::MessageCase kind) {
    while (auto message = Next()) {
      Keep(*message);
      if (message->message_case() == kind) return message;
    }
    return std::nullopt;
  }
  // Reads on until so many events have come in all.
  const std::vector<v1::Event>& ReadEvents(std::size_t count) {
    while (events_.size() < count) {
      const auto message = Next();
      if (!message) break;
      Keep(*message);
    }
    return events_;
  }
  const std::vector<v1::Event>& events() const { return events_; }
  // The newest cursor that came.
  const std::string& cursor() const { return cursor_; }

  void Cancel() { context_.TryCancel(); }
  // How the stream ended, after what is left of it.
  absl::Status Finish() {
    while (auto message = Next()) Keep(*message);
    const absl::Status status = client::FromGrpc(reader_->Finish());
    reader_ = nullptr;
    return status;
  }

 private:
  void Keep(const v1::SubscribeResponse& message) {
    events_.insert(events_.end(), message.batch().events().begin(), message.batch().events().end());
    for (const std::string* cursor :
         {&message.established().cursor(), &message.heartbeat().cursor(),
          &message.caught_up().cursor(), &message.draining().cursor()}) {
      if (!cursor->empty()) cursor_ = *cursor;
    }
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
  std::vector<v1::Event> events_;
  std::string cursor_;
};

inline v1::SubscribeRequest FromSequence(std::int64_t sequence) {
  v1::SubscribeRequest request;
  request.set_from_sequence(sequence);
  return request;
}

}  // namespace wattmint::test
