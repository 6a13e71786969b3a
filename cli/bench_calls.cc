// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_calls.h"

#include "core/client/channel.h"
#include "wattmint/v1/event.grpc.pb.h"

#include "grpc/health/v1/health.pb.h"
#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <utility>

namespace wattmint::cli {
namespace {

grpc::ByteBuffer BufferOf(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

// One stream: starts with a filter that stays, adds filters 1 to n, removes them.
class Changes final
    : public grpc::ClientBidiReactor<v1::SubscribeDynamicRequest, v1::SubscribeResponse> {
 public:
  Changes(const std::shared_ptr<grpc::Channel>& channel, const client::Credential& credential,
          int filters, base::Duration timeout)
      : filters_(filters), stub_(v1::EventService::NewStub(channel)) {
    client::Attach(credential, context_);
    client::SetTimeout(timeout, context_);
    stub_->async()->SubscribeDynamic(&context_, this);
    v1::DynamicStart& start = *request_.mutable_start();
    (*start.mutable_filters())["stays"].add_meter_ids("bench");
    start.mutable_place();
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  // The first message answers the start, whatever it is; then each change is answered once, among
  // what else is said.
  void OnReadDone(bool ok) override {
    if (!ok) return;
    const bool is_change = std::exchange(has_started_, true);
    if (is_change && response_.has_filters_changed()) ++made_;
    const bool is_answer =
        !is_change || response_.has_filters_changed() || response_.has_change_refused();
    if (is_answer) Settle();
    StartRead(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) Settle();
  }
  void OnDone(const grpc::Status&) override { ended_.release(); }

  int AwaitMade() {
    ended_.acquire();
    return made_;
  }

 private:
  // The next change follows when the one before is both written and answered.
  void Settle() {
    if (unsettled_.fetch_sub(1) > 1) return;
    if (sent_ == 2 * filters_) return context_.TryCancel();
    unsettled_.store(2);
    WriteNext();
  }
  void WriteNext() {
    request_.Clear();
    request_.set_change_id(sent_ + 1);
    const std::string name = fmt::format("filter-{}", sent_ % filters_);
    if (sent_ < filters_) {
      request_.mutable_add_filter()->set_name(name);
      request_.mutable_add_filter()->mutable_filter()->add_meter_ids(name);
    } else {
      request_.mutable_remove_filter()->set_name(name);
    }
    ++sent_;
    StartWrite(&request_);
  }

  const int filters_;
  std::unique_ptr<v1::EventService::Stub> stub_;
  grpc::ClientContext context_;
  v1::SubscribeDynamicRequest request_;
  v1::SubscribeResponse response_;
  std::atomic<int> unsettled_{2};
  int sent_ = 0;  // changes
  int made_ = 0;
  bool has_started_ = false;
  std::binary_semaphore ended_{0};
};

// The checks of one channel.
class HealthChecks {
 public:
  HealthChecks(const std::shared_ptr<grpc::Channel>& channel, int checks, base::Duration timeout)
      : checks_(checks),
        deadline_(std::chrono::system_clock::now() + timeout),
        stub_(std::shared_ptr<grpc::Channel>(channel)),
        request_(BufferOf(grpc::health::v1::HealthCheckRequest())) {
    CheckNext();
  }

  int AwaitServing() {
    ended_.acquire();
    return serving_;
  }

 private:
  void CheckNext() {
    if (asked_++ == checks_) return ended_.release();
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(deadline_);
    stub_.UnaryCall(context_.get(), "/grpc.health.v1.Health/Check", {}, &request_, &response_,
                    [this](const grpc::Status& status) {
                      if (status.ok() && IsServing()) ++serving_;
                      response_.Clear();
                      CheckNext();
                    });
  }
  bool IsServing() {
    grpc::health::v1::HealthCheckResponse answer;
    return grpc::SerializationTraits<grpc::health::v1::HealthCheckResponse>::Deserialize(&response_,
                                                                                         &answer)
               .ok() &&
           answer.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  }

  const int checks_;
  const std::chrono::system_clock::time_point deadline_;
  grpc::GenericStub stub_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::unique_ptr<grpc::ClientContext> context_;
  int asked_ = 0;
  int serving_ = 0;
  std::binary_semaphore ended_{0};
};

}  // namespace

std::int64_t CountChanges(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                          const client::Credential& credential, int filters,
                          base::Duration timeout) {
  std::vector<std::unique_ptr<Changes>> streams;
  for (const auto& channel : channels) {
    streams.push_back(std::make_unique<Changes>(channel, credential, filters, timeout));
  }
  std::int64_t made = 0;
  for (const auto& stream : streams) made += stream->AwaitMade();
  return made;
}

std::int64_t CountHealthChecks(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               int checks, base::Duration timeout) {
  std::vector<std::unique_ptr<HealthChecks>> all;
  for (const auto& channel : channels) {
    all.push_back(std::make_unique<HealthChecks>(channel, checks, timeout));
  }
  std::int64_t serving = 0;
  for (const auto& some : all) serving += some->AwaitServing();
  return serving;
}

}  // namespace wattmint::cli
