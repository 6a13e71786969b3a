// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_stream.h"

#include "bridge/log.h"
#include "core/base/assert.h"

#include <algorithm>
#include <utility>

namespace wattmint::bridge {

SessionStream::SessionStream(const SessionContext& context, WebSocketConnection& connection,
                             SessionRegistry::Entry& entry, const Delivery& delivery,
                             std::function<void(const absl::Status& why)> on_lost)
    : context_(context),
      messages_(context.messages[static_cast<std::size_t>(delivery.encoding)]),
      connection_(connection),
      entry_(entry),
      delivery_(delivery),
      on_lost_(std::move(on_lost)) {}

SessionStream::~SessionStream() { End(); }

void SessionStream::Start(stream::Interest interest, stream::Cursor place, std::int64_t after) {
  End();
  is_running_ = true;
  interest_ = std::move(interest);
  place_ = std::move(place);
  position_ = after;
  wanted_ = std::make_shared<const bool>(true);
}

void SessionStream::End() {
  if (group_ != nullptr) LeaveGroup(position());
  subscription_.reset();
  wanted_.reset();
  is_running_ = is_reading_ = has_caught_up_ = is_in_trouble_ = false;
  retry_at_ = SessionRegistry::Time::max();
}

std::int64_t SessionStream::position() const {
  WATTMINT_ASSERT(is_running_, "no stream runs");
  return group_ != nullptr ? std::max(position_, group_->position()) : position_;
}

std::string SessionStream::Cursor() const {
  if (!is_running_) return "";
  stream::Cursor cursor = place_;
  cursor.sequence = position();
  return context_.signer.Encode(cursor);
}

void SessionStream::OnTick() {
  if (!is_running_ || context_.clock.Steady() < retry_at_) return;
  retry_at_ = SessionRegistry::Time::max();
  Pump();
}

void SessionStream::Pump() {
  if (std::exchange(is_pumping_, true)) return;  // the group's end is noticed below
  while (is_running_ && Step() == Progress::kMore) continue;
  is_pumping_ = false;
}

SessionStream::Progress SessionStream::Step() {
  if (is_reading_ || retry_at_ != SessionRegistry::Time::max()) return Progress::kWait;
  if (connection_.PendingBytes() >= context_.options.queue_bytes_max) {
    if (position() < context_.hub.head()) FallBehind();
    return Progress::kWait;  // OnWritable() goes on
  }
  if (group_ != nullptr) {
    group_->Pump();
    return group_ != nullptr ? Progress::kWait : Progress::kMore;
  }
  if (position_ >= context_.hub.head()) return GoLive();
  if (subscription_ == nullptr) {
    subscription_ = context_.hub.Subscribe(interest_, position_, {});
  }
  if (subscription_->IsInTail()) return StepInTail();
  subscription_.reset();
  FallBehind();
  ReadHistory();
  return Progress::kWait;
}

SessionStream::Progress SessionStream::StepInTail() {
  const absl::StatusOr<stream::Page> page =
      subscription_->Next(context_.options.page_events_max, context_.options.page_bytes_max);
  if (!page.ok()) return Progress::kMore;  // out of the tail meanwhile
  position_ = page->delivered;
  Send(page->events);
  return Progress::kMore;
}

SessionStream::Progress SessionStream::GoLive() {
  subscription_.reset();
  if (!std::exchange(has_caught_up_, true)) {
    ++context_.counters.messages_sent;
    connection_.Send(messages_.CaughtUp(Cursor(), position()));
  }
  BridgeLog()->debug("session s{} is live behind event {}", entry_.id(), position_);
  group_ = context_.groups.Join(interest_, delivery_, position_, *this, connection_);
  interest_ = {};
  group_->Pump();  // more may have come meanwhile
  return group_ != nullptr ? Progress::kWait : Progress::kMore;
}

void SessionStream::Flush() {
  if (group_ != nullptr) group_->Pump();
  if (group_ == nullptr || position() >= context_.hub.head()) return;
  if (delivery_.interval == base::Duration::zero()) return;
  LeaveGroup(position());
  subscription_ = context_.hub.Subscribe(interest_, position_, {});
  while (is_running_ && position_ < context_.hub.head() && subscription_->IsInTail() &&
         connection_.PendingBytes() < context_.options.queue_bytes_max) {
    StepInTail();
  }
}

void SessionStream::LeaveGroup(std::int64_t position) {
  position_ = position;
  interest_ = group_->interest();
  std::exchange(group_, nullptr)->Leave(place_in_group_);
}

void SessionStream::OnStalled(std::int64_t position) {
  LeaveGroup(position);
  FallBehind();
}

void SessionStream::OnGroupEnd(const absl::Status& why) {
  LeaveGroup(position());
  why.ok() ? Pump() : Lose(why);
}

void SessionStream::ReadHistory() {
  HistoryRequest request{.scope = interest_.scope,
                         .filter = std::nullopt,
                         .from_sequence = position_ + 1,
                         .events_max = static_cast<int>(context_.options.page_events_max),
                         .wanted = wanted_};
  if (interest_.filters.size() == 1) request.filter = interest_.filters.front();
  is_reading_ = true;
  BridgeLog()->debug("session s{} reads history behind event {}", entry_.id(), position_);
  ++context_.counters.history_reads;
  context_.core.ReadHistory(std::move(request), [this, wanted = std::weak_ptr<const bool>(wanted_)](
                                                    absl::StatusOr<HistoryPage> page) {
    if (!wanted.expired()) OnHistory(std::move(page));
  });
}

void SessionStream::OnHistory(absl::StatusOr<HistoryPage> page) {
  is_reading_ = false;
  if (!page.ok() && !absl::IsUnavailable(page.status())) {
    BridgeLog()->warn("session s{} cannot read on behind event {}: {}", entry_.id(), position_,
                      page.status().ToString());
    return Lose(page.status());
  }
  if (!page.ok() || page->next_sequence <= position_ + 1) {
    // The core is away, or stands where we do although its head is further on: ask again later.
    if (!std::exchange(is_in_trouble_, true)) {
      BridgeLog()->warn("session s{} waits for history behind event {}: {}", entry_.id(), position_,
                        page.status().ToString());
    }
    retry_at_ = context_.clock.Steady() + context_.options.history_retry;
    entry_.Hurry();
    return;
  }
  is_in_trouble_ = false;
  std::erase_if(page->events, [this](const store::EventRecord& event) {
    return event.sequence <= position_ || !interest_.Matches(event.body->attributes);
  });
  position_ = page->next_sequence - 1;
  Send(std::move(page->events));
  Pump();
}

void SessionStream::Send(const stream::EventList& events) {
  if (events.empty()) return;
  std::vector<SharedFrame> frames;
  frames.reserve(events.size());
  for (const store::EventRecord& event : events) {
    absl::StatusOr<SharedFrame> frame = context_.frames.Get(event, delivery_.encoding);
    if (!frame.ok()) {
      BridgeLog()->error("event {}: {}", event.sequence, frame.status().ToString());
      return Lose(frame.status());
    }
    frames.push_back(*std::move(frame));
  }
  context_.counters.events_sent += std::ssize(frames);
  if (delivery_.in_batches) frames = {JoinFrames(frames, delivery_.encoding)};
  connection_.SendAll(frames);
}

void SessionStream::FallBehind() {
  if (group_ != nullptr) LeaveGroup(position());
  if (!std::exchange(has_caught_up_, false)) return;
  ++context_.counters.fell_behind;
  ++context_.counters.messages_sent;
  connection_.Send(messages_.FellBehind(position(), context_.hub.head()));
}

void SessionStream::Lose(const absl::Status& why) {
  End();
  on_lost_(why);
}

}  // namespace wattmint::bridge
