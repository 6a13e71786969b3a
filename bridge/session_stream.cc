// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_stream.h"

#include "core/base/assert.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace wattmint::bridge {

SessionStream::SessionStream(const SessionContext& context, WebSocketConnection& connection,
                             SessionId session,
                             std::function<void(const absl::Status& why)> on_lost)
    : context_(context), connection_(connection), session_(session), on_lost_(std::move(on_lost)) {}

void SessionStream::Start(stream::Interest interest, stream::Cursor place, std::int64_t after) {
  End();
  is_running_ = true;
  interest_ = std::move(interest);
  place_ = std::move(place);
  position_ = after;
  wanted_ = std::make_shared<const bool>(true);
}

void SessionStream::End() {
  subscription_.reset();
  wanted_.reset();
  is_running_ = is_reading_ = has_caught_up_ = false;
  retry_at_ = {};
}

std::int64_t SessionStream::position() const {
  WATTMINT_ASSERT(is_running_, "no stream runs");
  return subscription_ != nullptr ? subscription_->position() : position_;
}

std::string SessionStream::Cursor() const {
  stream::Cursor cursor = place_;
  cursor.sequence = position();
  return context_.signer.Encode(cursor);
}

void SessionStream::OnTick() {
  if (is_running_ && retry_at_ != std::chrono::steady_clock::time_point{} &&
      context_.clock.Steady() >= retry_at_) {
    retry_at_ = {};
    Pump();
  }
}

void SessionStream::Pump() {
  while (is_running_ && Step() == Progress::kMore) continue;
}

SessionStream::Progress SessionStream::Step() {
  if (is_reading_ || retry_at_ != std::chrono::steady_clock::time_point{}) return Progress::kWait;
  if (connection_.PendingBytes() >= context_.options.queue_bytes_max) {
    if (position() < context_.hub.head()) FallBehind();
    return Progress::kWait;  // OnWritable() goes on
  }
  if (subscription_ != nullptr && !subscription_->IsInTail()) {
    position_ = subscription_->position();
    subscription_.reset();
  }
  if (subscription_ != nullptr) return StepLive();
  // A new subscription may be in the tail, or not: it tells.
  auto subscription = context_.hub.Subscribe(
      interest_, position_, [&registry = context_.registry, id = session_] { registry.Wake(id); });
  if (subscription->IsInTail()) {
    subscription_ = std::move(subscription);
    return Progress::kMore;
  }
  FallBehind();
  ReadHistory();
  return Progress::kWait;
}

SessionStream::Progress SessionStream::StepLive() {
  const absl::StatusOr<stream::Page> page =
      subscription_->Next(context_.options.page_events_max, context_.options.page_bytes_max);
  if (!page.ok()) return Progress::kMore;  // out of the tail meanwhile
  Send(page->events);
  if (!page->at_head || !page->events.empty()) return Progress::kMore;
  if (!std::exchange(has_caught_up_, true)) {
    connection_.Send(context_.messages.CaughtUp(Cursor(), position()));
  }
  return subscription_->Arm() ? Progress::kWait : Progress::kMore;
}

void SessionStream::ReadHistory() {
  HistoryRequest request{.scope = interest_.scope,
                         .filter = std::nullopt,
                         .from_sequence = position_ + 1,
                         .events_max = static_cast<int>(context_.options.page_events_max)};
  if (interest_.filters.size() == 1) request.filter = interest_.filters.front();
  is_reading_ = true;
  context_.core.ReadHistory(std::move(request), [this, wanted = std::weak_ptr<const bool>(wanted_)](
                                                    absl::StatusOr<HistoryPage> page) {
    if (!wanted.expired()) OnHistory(std::move(page));
  });
}

void SessionStream::OnHistory(absl::StatusOr<HistoryPage> page) {
  is_reading_ = false;
  if (!page.ok() && page.status().code() == absl::StatusCode::kOutOfRange) {
    return Lose(page.status());
  }
  if (!page.ok() || page->next_sequence <= position_) {
    // The core is away, or stands where we do although its head is further on: ask again later.
    retry_at_ = context_.clock.Steady() + context_.options.history_retry;
    return;
  }
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
    absl::StatusOr<SharedFrame> frame = context_.frames.Get(event);
    if (!frame.ok()) {
      spdlog::error("bridge: event {}: {}", event.sequence, frame.status().ToString());
      return Lose(frame.status());
    }
    frames.push_back(*std::move(frame));
  }
  connection_.SendAll(frames);
}

void SessionStream::FallBehind() {
  if (!std::exchange(has_caught_up_, false)) return;
  connection_.Send(context_.messages.FellBehind(position(), context_.hub.head()));
}

void SessionStream::Lose(const absl::Status& why) {
  End();
  on_lost_(why);
}

}  // namespace wattmint::bridge
