// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/atomicity.h"
#include "cli/check/subscriber.h"
#include "core/client/event_subscriber.h"

#include <memory>
#include <string>
#include <vector>

namespace wattmint::check {

// By gRPC: a client::EventSubscriber on a connection of its own; after a cut another one goes on
// from the position of the one before, as another process would.
class GrpcSubscriber final : public Subscriber, public client::EventListener {
 public:
  struct Options {
    client::ChannelOptions core;
    client::Credential credential;
    v1::SubscribeRequest request;
  };

  // `atomicity` is told where the server says that the log ends.
  GrpcSubscriber(Options options, AtomicityJudge& atomicity, std::unique_ptr<Witness> witness);
  ~GrpcSubscriber() override { Stop(); }

  void Start() override { Open(options_.request); }
  void Stop() override;
  void Cut(Witness::Place place) override;
  Witness& witness() override { return *witness_; }

 private:
  void Open(const v1::SubscribeRequest& request);

  void OnEstablished(const v1::Established& established) override;
  void OnEvents(std::span<const client::RawEvent> events) override;
  void OnRepeated(std::span<const client::RawEvent> events) override { OnEvents(events); }
  void OnHeartbeat(std::int64_t head_sequence, std::int64_t delivered_sequence) override;
  void OnCaughtUp() override { witness_->OnCaughtUp(); }
  void OnFellBehind() override { witness_->OnFellBehind(); }
  void OnLost(const absl::Status& why, base::Duration retry_in) override;
  void OnStopped(const absl::Status& why) override { witness_->OnRefused(why); }

  const Options options_;
  AtomicityJudge& atomicity_;
  const std::unique_ptr<Witness> witness_;
  // Of the stream's thread; of ours while there is none.
  std::string bookmark_;  // the cursor of the last heartbeat
  std::vector<Judge::Received> received_;
  std::unique_ptr<client::EventSubscriber> stream_;  // replaced while its thread does not run
};

}  // namespace wattmint::check
