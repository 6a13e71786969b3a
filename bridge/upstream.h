// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/shards.h"
#include "core/base/mutex.h"
#include "core/client/credential.h"
#include "core/client/event_subscriber.h"
#include "core/stream/hub.h"

#include <cstdint>
#include <memory>
#include <span>

namespace wattmint::bridge {

// The whole feed of the core, as a relay: events go into the hub, and the shards hear how the core
// stands. It goes on for ever: what the subscriber itself can't resume begins anew, and sessions
// then read what lies between from the core.
//
// Threads: Run() blocks its caller; Stop() from any. Lifetime: hub and shards must outlive it.
class Upstream final : private client::EventListener {
 public:
  Upstream(std::shared_ptr<grpc::Channel> channel, client::Credential relay, stream::Hub& hub,
           Shards& shards);

  void Run() WATTMINT_EXCLUDES(mutex_);
  void Stop() WATTMINT_EXCLUDES(mutex_);

 private:
  void OnEstablished(const v1::Established& established) override;
  void OnEvents(std::span<const client::RawEvent> events) override;
  void OnHeartbeat(std::int64_t head_sequence, std::int64_t delivered_sequence) override;
  void OnLost(const absl::Status& why, base::Duration retry_in) override;
  void OnStopped(const absl::Status& why) override WATTMINT_EXCLUDES(mutex_);

  // Tells the host what concerns more than the sessions that get the event.
  void LookAt(const store::EventRecord& event);

  const std::shared_ptr<grpc::Channel> channel_;  // shared: with other users of the channel
  const client::Credential relay_;
  stream::Hub& hub_;
  Shards& shards_;

  bool is_fresh_ = true;  // the subscriber's thread, or while there is none: nothing to go on from

  base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  bool is_stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool has_ended_ WATTMINT_GUARDED_BY(mutex_) = false;  // the subscriber gave up
};

}  // namespace wattmint::bridge
