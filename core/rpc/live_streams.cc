// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/live_streams.h"

#include "core/access/reason.h"
#include "core/access/user_limiter.h"
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/rpc/status_convert.h"

#include <utility>

namespace wattmint::rpc {
namespace {

constexpr base::Duration kTick = std::chrono::milliseconds(100);

absl::Status TooManyOfUser() {
  return access::WithReason(base::ResourceExhausted("the user has too many streams open"),
                            access::reason::kTooManyStreams);
}

}  // namespace

LiveStreams::LiveStreams(base::Clock& clock, const Limits& limits)
    : clock_(clock), limits_(limits), ticker_([this] { TickLoop(); }) {}

LiveStreams::~LiveStreams() {
  {
    base::MutexLock lock(mutex_);
    WATTMINT_ASSERT(streams_.empty(), "{} streams are still open", streams_.size());
    is_stopping_ = true;
    changed_.NotifyAll();
  }
  ticker_.join();
}

absl::StatusOr<std::int64_t> LiveStreams::Add(std::shared_ptr<LiveStream> stream,
                                              const access::Principal& owner) {
  const bool is_limited = limits_.streams_per_user_max > 0 && !access::ServesOthers(owner);
  base::MutexLock lock(mutex_);
  if (is_draining_) return IsDraining();
  if (streams_.size() >= limits_.streams_max) return Overloaded("too many streams are open");
  if (is_limited) {
    std::size_t& count = counts_by_user_[owner.user_id];
    if (count >= limits_.streams_per_user_max) return TooManyOfUser();
    ++count;
  }
  const LiveStream* key = stream.get();
  Open& open = streams_[key];
  open.stream = std::move(stream);
  if (is_limited) open.user_id = owner.user_id;
  return ++added_;
}

void LiveStreams::Remove(const LiveStream* stream) {
  base::MutexLock lock(mutex_);
  const auto open = streams_.find(stream);
  if (open == streams_.end()) return;
  if (const std::optional<std::string>& user_id = open->second.user_id) {
    const auto count = counts_by_user_.find(*user_id);
    if (--count->second == 0) counts_by_user_.erase(count);
  }
  streams_.erase(open);
  changed_.NotifyAll();
}

absl::Status LiveStreams::CheckOpen() const {
  base::MutexLock lock(mutex_);
  return is_draining_ ? IsDraining() : absl::OkStatus();
}

void LiveStreams::KeyChanged(std::string_view key_id) {
  for (const auto& stream : All()) stream->OnKeyChanged(key_id);
}

void LiveStreams::Drain(const std::function<base::Duration()>& delay) {
  {
    base::MutexLock lock(mutex_);
    is_draining_ = true;
  }
  for (const auto& stream : All()) stream->OnDrain(delay());
}

bool LiveStreams::WaitUntilEmpty(base::Duration timeout) {
  base::MutexLock lock(mutex_);
  return changed_.WaitFor(mutex_, timeout,
                          [this]() WATTMINT_REQUIRES(mutex_) { return streams_.empty(); });
}

void LiveStreams::CancelAll() {
  for (const auto& stream : All()) stream->Cancel();
}

std::size_t LiveStreams::size() const {
  base::MutexLock lock(mutex_);
  return streams_.size();
}

LiveStreams::Streams LiveStreams::All() const {
  base::MutexLock lock(mutex_);
  Streams all;
  all.reserve(streams_.size());
  for (const auto& [key, open] : streams_) all.push_back(open.stream);
  return all;
}

void LiveStreams::TickLoop() {
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      const bool stop = changed_.WaitFor(
          mutex_, kTick, [this]() WATTMINT_REQUIRES(mutex_) { return is_stopping_; });
      if (stop) return;
    }
    const auto now = clock_.Steady();
    for (const auto& stream : All()) stream->OnTick(now);
  }
}

}  // namespace wattmint::rpc
