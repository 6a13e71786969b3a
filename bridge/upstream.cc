// SPDX-License-Identifier: Apache-2.0
#include "bridge/upstream.h"

#include "core/wire/event_codec.h"

#include <spdlog/spdlog.h>

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
                   stream::Hub& hub, SessionHost& host, SessionRegistry::Post post)
    : channel_(std::move(channel)),
      relay_(std::move(relay)),
      hub_(hub),
      host_(host),
      post_(std::move(post)) {}

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
  spdlog::info("bridge: the core is connected, its log ends at {}", head);
  post_([this, epoch = established.epoch(), head] { host_.OnUpstreamConnected(epoch, head); });
}

store::EventRecord Upstream::ToRecord(const client::RawEvent& event) {
  absl::StatusOr<domain::EventAttributes> attributes = wire::DecodeAttributes(event.payload);
  if (!attributes.ok()) {
    // It keeps its place, so that no event behind it is taken for lost.
    spdlog::error("bridge: event {}: {}", event.sequence, attributes.status().ToString());
    attributes = domain::EventAttributes{.audience = domain::EventAttributes::Audience::kAdmin};
  }
  if (attributes->type == domain::EventType::kApiKeyChanged) {
    const absl::StatusOr<domain::Event> decoded =
        wire::DecodePayload(event.sequence, event.payload);
    const auto* change =
        decoded.ok() ? std::get_if<domain::ApiKeyChanged>(&decoded->fact) : nullptr;
    if (change != nullptr && change->revoked) {
      post_([this, key_id = change->key_id] { host_.OnKeyRevoked(key_id); });
    }
  }
  return {event.sequence, std::make_shared<const store::EventRecord::Body>(
                              std::string(event.payload), *std::move(attributes))};
}

void Upstream::OnEvents(std::span<const client::RawEvent> events) {
  std::vector<store::EventRecord> records;
  records.reserve(events.size());
  for (const client::RawEvent& event : events) records.push_back(ToRecord(event));
  const std::int64_t head = records.back().sequence;
  hub_.Publish(std::move(records));
  post_([this, head] { host_.OnUpstreamHeard(head); });
}

void Upstream::OnHeartbeat(std::int64_t head_sequence, std::int64_t) {
  post_([this, head_sequence] { host_.OnUpstreamHeard(head_sequence); });
}

void Upstream::OnLost(const absl::Status& why, base::Duration retry_in) {
  spdlog::warn("bridge: the core is lost, next attempt in {} ms: {}",
               std::chrono::duration_cast<std::chrono::milliseconds>(retry_in).count(),
               why.ToString());
  post_([this] { host_.OnUpstreamLost(); });
}

void Upstream::OnStopped(const absl::Status& why) {
  spdlog::error("bridge: the core refuses the stream: {}", why.ToString());
  post_([this] { host_.OnUpstreamLost(); });
  base::MutexLock lock(mutex_);
  has_ended_ = true;
  changed_.NotifyAll();
}

}  // namespace wattmint::bridge
