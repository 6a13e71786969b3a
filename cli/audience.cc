// SPDX-License-Identifier: Apache-2.0
#include "cli/audience.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/client/channel.h"
#include "wattmint/v1/event.pb.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/client_callback.h>

#include <optional>
#include <utility>

namespace wattmint::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kBatchTag = v1::SubscribeResponse::kBatchFieldNumber << 3 | 2;
constexpr std::uint64_t kEventTag = v1::EventBatch::kEventsFieldNumber << 3 | 2;

// Goes over the bytes of slices without putting them together.
class SliceReader {
 public:
  explicit SliceReader(const std::vector<grpc::Slice>& slices) : slices_(slices) { Settle(); }

  bool AtEnd() const { return slice_ == slices_.size(); }
  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !AtEnd(); shift += 7) {
      const std::uint8_t byte = slices_[slice_].begin()[offset_++];
      Settle();
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  bool Skip(std::uint64_t count) {
    while (count > 0 && !AtEnd()) {
      const std::size_t here = std::min<std::uint64_t>(count, slices_[slice_].size() - offset_);
      offset_ += here;
      count -= here;
      Settle();
    }
    return count == 0;
  }

 private:
  void Settle() {
    while (!AtEnd() && offset_ == slices_[slice_].size()) {
      ++slice_;
      offset_ = 0;
    }
  }

  const std::vector<grpc::Slice>& slices_;
  std::size_t slice_ = 0;
  std::size_t offset_ = 0;
};

bool IsCaughtUp(const grpc::ByteBuffer& message) {
  grpc::ByteBuffer copy = message;  // of references
  v1::SubscribeResponse response;
  return grpc::SerializationTraits<v1::SubscribeResponse>::Deserialize(&copy, &response).ok() &&
         response.has_caught_up();
}

}  // namespace

absl::StatusOr<std::int64_t> CountEvents(const grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) return base::DataLoss("a message without bytes");
  SliceReader reader(slices);
  if (reader.Varint() != kBatchTag) return 0;
  std::int64_t count = 0;
  if (!reader.Varint()) return base::DataLoss("a batch without a length");
  for (; !reader.AtEnd(); ++count) {
    const bool is_event = reader.Varint() == kEventTag;
    const auto size = reader.Varint();
    if (!is_event || !size || !reader.Skip(*size)) return base::DataLoss("a batch is broken");
  }
  return count;
}

class Audience::Subscriber final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Subscriber(Audience& audience, const std::shared_ptr<grpc::Channel>& channel,
             const client::Credential& credential, const std::string& request)
      : audience_(audience), stub_(std::shared_ptr<grpc::Channel>(channel)) {
    client::Attach(credential, context_);
    context_.set_wait_for_ready(true);  // a thousand connections at once may take some attempts
    const grpc::Slice slice(request);
    request_ = grpc::ByteBuffer(&slice, 1);
    stub_.PrepareBidiStreamingCall(&context_, "/wattmint.v1.EventService/Subscribe", {}, this);
    StartWriteLast(&request_, {});
    StartRead(&buffer_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const absl::StatusOr<std::int64_t> count = CountEvents(buffer_);
    if (!count.ok()) return Cancel();
    if (*count > 0) {
      audience_.CountMessage(*count, std::exchange(events_, events_ + *count));
    } else if (!has_caught_up_ && IsCaughtUp(buffer_)) {
      has_caught_up_ = true;
      audience_.CountCaughtUp();
    }
    buffer_.Clear();
    {
      base::MutexLock lock(mutex_);
      owes_read_ = is_paused_;
      if (owes_read_) return;
    }
    StartRead(&buffer_);
  }
  void OnDone(const grpc::Status& status) override { audience_.CountEnd(client::FromGrpc(status)); }

  // A stream that is paused needs a hold, else it might end while nothing is outstanding.
  void Pause() {
    AddHold();
    base::MutexLock lock(mutex_);
    is_paused_ = true;
  }
  void Resume() {
    bool owes_read = false;
    {
      base::MutexLock lock(mutex_);
      if (!std::exchange(is_paused_, false)) return;
      owes_read = std::exchange(owes_read_, false);
    }
    if (owes_read) StartRead(&buffer_);
    RemoveHold();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  Audience& audience_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer buffer_;
  std::int64_t events_ = 0;
  bool has_caught_up_ = false;

  base::Mutex mutex_;  // guards both below
  bool is_paused_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool owes_read_ WATTMINT_GUARDED_BY(mutex_) = false;
};

Audience::Audience(Options options)
    : options_(options), steps_(static_cast<std::size_t>(options.steps_max)) {}

Audience::~Audience() { Close(); }

void Audience::Add(const std::shared_ptr<grpc::Channel>& channel,
                   const client::Credential& credential, const std::string& request) {
  subscribers_.push_back(std::make_unique<Subscriber>(*this, channel, credential, request));
}

template <typename Predicate>
absl::Status Audience::AwaitLocked(base::Duration timeout, Predicate predicate) {
  if (changed_.WaitFor(mutex_, timeout, predicate)) return absl::OkStatus();
  return base::DeadlineExceeded("{} of {} subscribers have caught up, with {} events", caught_up_,
                                options_.subscribers, events_.load());
}

absl::Status Audience::AwaitCaughtUp(base::Duration timeout) {
  base::MutexLock lock(mutex_);
  return AwaitLocked(timeout, [this]() WATTMINT_REQUIRES(mutex_) {
    return caught_up_ + errors_ >= options_.subscribers;
  });
}

absl::Status Audience::AwaitEvents(std::int64_t count, base::Duration timeout) {
  events_wanted_.store(count);
  base::MutexLock lock(mutex_);
  WATTMINT_RETURN_IF_ERROR(AwaitLocked(timeout, [this, count]() WATTMINT_REQUIRES(mutex_) {
    return errors_ > 0 || events_.load() >= count;
  }));
  return events_.load() >= count ? absl::OkStatus() : first_error_;
}

absl::Status Audience::AwaitSteps(std::int64_t count, base::Duration timeout) {
  base::MutexLock lock(mutex_);
  WATTMINT_RETURN_IF_ERROR(AwaitLocked(timeout, [this, count]() WATTMINT_REQUIRES(mutex_) {
    return errors_ > 0 || steps_done_ >= count;
  }));
  return steps_done_ >= count ? absl::OkStatus() : first_error_;
}

Steady::time_point Audience::TimeOfStep(std::int64_t number) const {
  base::MutexLock lock(mutex_);
  return steps_[static_cast<std::size_t>(number)].time;
}

// Steps are reached in order, since each subscriber reaches them in order.
void Audience::CountMessage(std::int64_t events, std::int64_t before) {
  messages_.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t all = events_.fetch_add(events) + events;
  const std::int64_t end = std::min(std::ssize(steps_), (before + events) / options_.step_events);
  for (std::int64_t i = before / options_.step_events; i < end; ++i) {
    Step& step = steps_[static_cast<std::size_t>(i)];
    if (step.subscribers.fetch_add(1) + 1 < options_.subscribers) continue;
    base::MutexLock lock(mutex_);
    step.time = Steady::now();
    steps_done_ = std::max(steps_done_, i + 1);
    changed_.NotifyAll();
  }
  const std::int64_t wanted = events_wanted_.load();
  if (all < wanted || all - events >= wanted) return;
  base::MutexLock lock(mutex_);
  changed_.NotifyAll();
}

void Audience::CountCaughtUp() {
  base::MutexLock lock(mutex_);
  ++caught_up_;
  changed_.NotifyAll();
}

void Audience::CountEnd(const absl::Status& status) {
  base::MutexLock lock(mutex_);
  ++ended_;
  if (!is_closing_) {
    if (++errors_ == 1) first_error_ = status.ok() ? base::Unavailable("a stream ended") : status;
  }
  changed_.NotifyAll();
}

std::int64_t Audience::errors() const {
  base::MutexLock lock(mutex_);
  return errors_;
}

std::int64_t Audience::caught_up() const {
  base::MutexLock lock(mutex_);
  return caught_up_;
}

void Audience::PauseLast() { subscribers_.back()->Pause(); }

void Audience::ResumeLast() { subscribers_.back()->Resume(); }

void Audience::Close() {
  {
    base::MutexLock lock(mutex_);
    is_closing_ = true;
  }
  for (const auto& subscriber : subscribers_) {
    subscriber->Cancel();
    subscriber->Resume();
  }
  base::MutexLock lock(mutex_);
  changed_.Wait(mutex_,
                [this]() WATTMINT_REQUIRES(mutex_) { return ended_ == std::ssize(subscribers_); });
}

}  // namespace wattmint::cli
