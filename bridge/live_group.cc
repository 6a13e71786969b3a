// SPDX-License-Identifier: Apache-2.0
#include "bridge/live_group.h"

#include "bridge/log.h"
#include "bridge/session_stream.h"
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/stream/filter_set.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr int kStepsMax = 4;  // chosen: of a page to every member, before others get their turn
// Chosen: of the log behind a group that waits, so that it stays in the tail, and has little to
// scan.
constexpr std::int64_t kWaitingEventsMax = 8'192;
constexpr std::size_t kPrefetched = 16;  // members at once; measured

}  // namespace

std::vector<SharedFrame> LiveEvents::Behind(std::int64_t after) const {
  const auto first = std::ranges::upper_bound(sequences, after) - sequences.begin();
  return {singles.begin() + first, singles.end()};
}

LiveGroup::LiveGroup(LiveGroups& groups, stream::Interest interest, const Delivery& delivery,
                     std::int64_t after)
    : groups_(groups),
      delivery_(delivery),
      deflate_(groups.deflater_, groups.limits_.compressed_bytes_min),
      subscription_(groups.hub_.Subscribe(std::move(interest), after, [this] { Wake(); })) {
  groups_.groups_.insert(this);
}

LiveGroup::~LiveGroup() {
  WATTMINT_ASSERT(members_count_ == 0, "{} members outlive their group", members_count_);
  GiveUpPlace();
}

// A group that has ended may have been followed by another.
void LiveGroup::GiveUpPlace() {
  const auto found = groups_.groups_.find(this);
  if (found != groups_.groups_.end() && *found == this) groups_.groups_.erase(found);
}

// Mostly on the hub's thread. The subscription ends first, so that the group still lives here; but
// perhaps only just.
void LiveGroup::Wake() { groups_.Wake(weak_from_this()); }

void LiveGroup::Add(SessionStream& stream, WebSocketConnection& connection, std::int64_t after) {
  WATTMINT_ASSERT(position() <= after, "a group at {} is beyond {}", position(), after);
  stream.set_place_in_group(members_.size());
  const Form form = FirstForm(connection.compression());
  members_.push_back({&stream, &connection, form, after, connection.PendingBytes()});
  ++takers_[IndexOf(form)];
  ++members_count_;
}

void LiveGroup::SetForm(Member& member, Form form) {
  --takers_[IndexOf(std::exchange(member.form, form))];
  ++takers_[IndexOf(form)];
}

void LiveGroup::Leave(std::size_t place) {
  --members_count_;
  --takers_[IndexOf(members_.at(place).form)];
  members_[place].stream = nullptr;
  if (is_pumping_) return;
  members_[place] = members_.back();
  if (place + 1 < members_.size()) members_[place].stream->set_place_in_group(place);
  members_.pop_back();
}

bool LiveGroup::IsTime() {
  if (delivery_.interval == base::Duration::zero()) return true;
  if (has_delivered_) return true;  // and goes on
  if (groups_.clock_.Steady() >= next_at_) return true;
  if (groups_.hub_.head() - position() > kWaitingEventsMax) return true;
  if (!is_waiting_) groups_.waiting_.push_back(weak_from_this());
  is_waiting_ = true;
  return false;
}

void LiveGroup::Pump() {
  if (is_pumping_ || !IsTime()) return;
  is_pumping_ = true;
  const auto self = shared_from_this();  // the last member may leave
  try {
    PumpSteps();
  } catch (const std::exception& exception) {
    // Its position may be beyond what some were sent: they come back by a cursor of before.
    Dissolve(base::Internal("the events could not be handed on: {}", exception.what()));
  }
  is_pumping_ = false;
  if (members_count_ == members_.size()) return;
  std::erase_if(members_, [](const Member& member) { return member.stream == nullptr; });
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i].stream->set_place_in_group(i);
}

void LiveGroup::PumpSteps() {
  for (int step = 0; members_count_ > 0 && Step() == Progress::kMore; ++step) {
    if (step + 1 == kStepsMax) return Wake();
  }
  if (!std::exchange(has_delivered_, false)) return;
  next_at_ = groups_.clock_.Steady() + delivery_.interval;
  IsTime();  // what has come meanwhile waits
}

LiveGroup::Progress LiveGroup::Step() {
  const std::int64_t before = position();
  const absl::StatusOr<stream::Page> page =
      subscription_->Next(groups_.limits_.events_max, groups_.limits_.bytes_max);
  const absl::Status status = page.ok() ? Deliver(before, page->events) : absl::OkStatus();
  if (!page.ok() || !status.ok()) {
    Dissolve(status);
    return Progress::kWait;
  }
  if (!page->at_head) return Progress::kMore;
  const bool is_enough = has_delivered_ && delivery_.interval > base::Duration::zero();
  return subscription_->Arm() || is_enough ? Progress::kWait : Progress::kMore;
}

std::vector<SharedFrame> LiveGroup::AsDelivered(const std::vector<SharedFrame>& singles) const {
  if (!delivery_.in_batches || singles.empty()) return singles;
  return {JoinFrames(singles, delivery_.encoding)};
}

absl::Status LiveGroup::Deliver(std::int64_t before, const stream::EventList& events) {
  if (events.empty()) return absl::OkStatus();
  has_delivered_ = true;
  LiveEvents live{.before = before, .sequences = {}, .singles = {}, .formed = {}};
  for (const store::EventRecord& event : events) {
    WATTMINT_ASSIGN_OR_RETURN(SharedFrame frame, groups_.frames_.Get(event, delivery_.encoding));
    live.sequences.push_back(event.sequence);
    live.singles.push_back(std::move(frame));
  }
  live.formed = deflate_.Make(AsDelivered(live.singles), takers_);
  // Whoever joins within has these already.
  const std::size_t count = members_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kPrefetched == 0) PrefetchFrom(i);
    DeliverTo(members_[i], live);
  }
  Count(live);
  return absl::OkStatus();
}

// Else each would wait for memory on its own: between the others' frames its own is driven out.
void LiveGroup::PrefetchFrom(std::size_t place) const {
  const std::size_t end = std::min(place + kPrefetched, members_.size());
  for (std::size_t i = place; i < end; ++i) {
    if (members_[i].stream != nullptr) members_[i].connection->Prefetch();
  }
}

void LiveGroup::DeliverTo(Member& member, LiveEvents& live) {
  if (member.stream == nullptr) return;
  const std::size_t pending_max = groups_.limits_.pending_bytes_max;
  if (member.pending_bytes >= pending_max && member.connection->PendingBytes() >= pending_max) {
    return member.stream->OnStalled(std::max(live.before, member.after));
  }
  if (member.after < live.sequences.front()) {
    const FormedFrames& next = live.formed[IndexOf(member.form)];
    ++live.takers[IndexOf(member.form)];
    member.pending_bytes = member.connection->SendAll(next.frames);
    if (member.form == Form::kJoining && next.compressed_count > 0) SetForm(member, Form::kInStep);
    return;
  }
  // What was sent before it joined is not sent again; it is no part of the others' context.
  WATTMINT_ASSERT(member.form != Form::kInStep, "in step, but joined at {}", member.after);
  const std::vector<SharedFrame> rest = live.Behind(member.after);
  live.rest_count += std::ssize(rest);
  if (!rest.empty()) member.pending_bytes = member.connection->SendAll(AsDelivered(rest));
}

void LiveGroup::Count(const LiveEvents& live) {
  Counters& counters = groups_.counters_;
  counters.events_sent += live.rest_count;
  for (std::size_t i = 0; i < kFormsCount; ++i) {
    const FormedFrames& sent = live.formed[i];
    counters.events_sent += live.takers[i] * std::ssize(live.sequences);
    counters.events_compressed += live.takers[i] * sent.compressed_count;
    counters.bytes_before_compression += live.takers[i] * sent.bytes_before;
    counters.bytes_after_compression += live.takers[i] * sent.bytes_after;
  }
}

void LiveGroup::Dissolve(const absl::Status& why) {
  if (!why.ok()) BridgeLog()->error("behind event {}: {}", position(), why.ToString());
  GiveUpPlace();  // who goes on may join another
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].stream != nullptr) members_[i].stream->OnGroupEnd(why);
  }
}

LiveGroups::LiveGroups(stream::Hub& hub, base::Clock& clock, EventFrames& frames,
                       Counters& counters, const Limits& limits, Post post)
    : hub_(hub),
      clock_(clock),
      frames_(frames),
      counters_(counters),
      limits_(limits),
      post_(std::move(post)) {}

LiveGroups::~LiveGroups() {
  WATTMINT_ASSERT(groups_.empty(), "{} groups outlive their owner", groups_.size());
}

std::size_t LiveGroups::ByWanted::Hash(const Wanted& wanted) {
  return absl::HashOf(stream::HashOf(wanted.interest.filters), wanted.interest.scope.user_id,
                      wanted.delivery);
}

std::shared_ptr<LiveGroup> LiveGroups::Join(const stream::Interest& interest,
                                            const Delivery& delivery, std::int64_t after,
                                            SessionStream& stream,
                                            WebSocketConnection& connection) {
  const auto found = groups_.find(Wanted{interest, delivery});
  // The log may have been replaced by a shorter one.
  const bool fits = found != groups_.end() && (*found)->position() <= after;
  auto group =
      fits ? (*found)->shared_from_this()
           : std::make_shared<LiveGroup>(*this, interest, delivery, std::min(after, hub_.head()));
  group->Add(stream, connection, after);
  return group;
}

void LiveGroups::Wake(std::weak_ptr<LiveGroup> group) {
  base::MutexLock lock(mutex_);
  woken_.push_back(std::move(group));
  if (woken_.size() > 1) return;  // posted already
  lock.Unlock();
  post_([this] { PumpWoken(); });
}

void LiveGroups::OnTick() {
  for (const std::weak_ptr<LiveGroup>& one : std::exchange(waiting_, {})) {
    const auto group = one.lock();
    if (group == nullptr) continue;
    group->is_waiting_ = false;
    group->Pump();
  }
}

void LiveGroups::PumpWoken() {
  std::vector<std::weak_ptr<LiveGroup>> woken;
  {
    base::MutexLock lock(mutex_);
    woken.swap(woken_);
  }
  for (const std::weak_ptr<LiveGroup>& one : woken) {
    if (const auto group = one.lock()) group->Pump();
  }
}

}  // namespace wattmint::bridge
