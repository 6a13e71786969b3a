// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/live_streams.h"

#include "core/base/assert.h"
#include "core/rpc/status_convert.h"

#include <utility>

namespace wattmint::rpc {
namespace {

constexpr base::Duration kTick = std::chrono::milliseconds(100);

}  // namespace

LiveStreams::LiveStreams(base::Clock& clock, std::size_t streams_max)
    : clock_(clock), streams_max_(streams_max), ticker_([this] { TickLoop(); }) {}

LiveStreams::~LiveStreams() {
  {
    base::MutexLock lock(mutex_);
    WATTMINT_ASSERT(streams_.empty(), "{} streams are still open", streams_.size());
    is_stopping_ = true;
    changed_.NotifyAll();
  }
  ticker_.join();
}

absl::Status LiveStreams::Add(std::shared_ptr<LiveStream> stream) {
  base::MutexLock lock(mutex_);
  if (is_draining_) return IsDraining();
  if (streams_.size() >= streams_max_) return Overloaded("too many streams are open");
  const LiveStream* key = stream.get();
  streams_.emplace(key, std::move(stream));
  return absl::OkStatus();
}

void LiveStreams::Remove(const LiveStream* stream) {
  base::MutexLock lock(mutex_);
  streams_.erase(stream);
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
  for (const auto& [key, stream] : streams_) all.push_back(stream);
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
