// SPDX-License-Identifier: Apache-2.0
#include "bridge/upstream.h"

#include "bridge/event_record.h"
#include "bridge/log.h"
#include "core/wire/event_codec.h"

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace wattmint::bridge {
namespace {

constexpr base::Duration kRetryAfter = std::chrono::seconds(1);

}  // namespace

Upstream::Upstream(std::shared_ptr<grpc::Channel> channel, client::Credential relay,
                   stream::Hub& hub, Shards& shards)
    : channel_(std::move(channel)), relay_(std::move(relay)), hub_(hub), shards_(shards) {}

void Upstream::Run() {
  base::MutexLock lock(mutex_);
  while (!is_stopping_) {
    has_ended_ = false;
    is_fresh_ = true;
    {
      client::EventSubscriber::Options options;
      options.credential = relay_;
      client::EventSubscriber subscriber(channel_, std::move(options), *this);
      subscriber.Start();
      changed_.Wait(mutex_,
                    [this]() WATTMINT_REQUIRES(mutex_) { return is_stopping_ || has_ended_; });
      lock.Unlock();
      subscriber.Stop();
      lock.Lock();
    }
    changed_.WaitFor(mutex_, kRetryAfter,
                     [this]() WATTMINT_REQUIRES(mutex_) { return is_stopping_; });
  }
}

void Upstream::Stop() {
  base::MutexLock lock(mutex_);
  is_stopping_ = true;
  changed_.NotifyAll();
}

void Upstream::OnEstablished(const v1::Established& established) {
  const std::int64_t head = established.head_sequence();
  // What the hub had may be of another log, or end before this stream begins.
  if (std::exchange(is_fresh_, false)) hub_.Reset(head);
  BridgeLog()->info("the core is connected, its log ends at {}", head);
  shards_.OnUpstreamConnected(established.epoch(), head);
}

void Upstream::LookAt(const store::EventRecord& event) {
  if (IsUnknown(event)) shards_.OnUnknownEvent(event.sequence);
  if (event.body->attributes.type != domain::EventType::kApiKeyChanged) return;
  const absl::StatusOr<domain::Event> decoded =
      wire::DecodePayload(event.sequence, event.body->payload);
  const auto* change = decoded.ok() ? std::get_if<domain::ApiKeyChanged>(&decoded->fact) : nullptr;
  if (change != nullptr && change->revoked) shards_.OnKeyRevoked(change->key_id);
}

void Upstream::OnEvents(std::span<const client::RawEvent> events) {
  std::vector<store::EventRecord> records;
  records.reserve(events.size());
  for (const client::RawEvent& event : events) {
    records.push_back(MakeRecord(event.sequence, std::string(event.payload)));
    LookAt(records.back());
  }
  const std::int64_t head = records.back().sequence;
  hub_.Publish(std::move(records));
  shards_.OnUpstreamHeard(head);
}

void Upstream::OnHeartbeat(std::int64_t head_sequence, std::int64_t) {
  shards_.OnUpstreamHeard(head_sequence);
}

void Upstream::OnLost(const absl::Status& why, base::Duration retry_in) {
  BridgeLog()->warn("the core is lost, next attempt in {} ms: {}",
                    std::chrono::duration_cast<std::chrono::milliseconds>(retry_in).count(),
                    why.ToString());
  shards_.OnUpstreamLost();
}

void Upstream::OnStopped(const absl::Status& why) {
  BridgeLog()->error("the core refuses the stream: {}", why.ToString());
  shards_.OnUpstreamLost();
  base::MutexLock lock(mutex_);
  has_ended_ = true;
  changed_.NotifyAll();
}

}  // namespace wattmint::bridge
