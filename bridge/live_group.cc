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
constexpr std::size_t kPrefetched = 16;  // members at once; measured

}  // namespace

std::vector<SharedFrame> LiveEvents::Behind(std::int64_t after) const {
  const auto first = std::ranges::upper_bound(sequences, after) - sequences.begin();
  const std::vector<SharedFrame>& frames = formed[IndexOf(Form::kPlain)].frames;
  return {frames.begin() + first, frames.end()};
}

LiveGroup::LiveGroup(LiveGroups& groups, stream::Interest interest, Encoding encoding,
                     std::int64_t after)
    : groups_(groups),
      encoding_(encoding),
      deflate_(groups.deflater_, groups.limits_.compressed_bytes_min),
      subscription_(groups.hub_.Subscribe(std::move(interest), after, [this] { Wake(); })) {
  groups_.groups_[static_cast<std::size_t>(encoding_)].insert(this);
}

LiveGroup::~LiveGroup() {
  WATTMINT_ASSERT(members_count_ == 0, "{} members outlive their group", members_count_);
  GiveUpPlace();
}

// A group that has ended may have been followed by another.
void LiveGroup::GiveUpPlace() {
  auto& groups = groups_.groups_[static_cast<std::size_t>(encoding_)];
  const auto found = groups.find(interest());
  if (found != groups.end() && *found == this) groups.erase(found);
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

void LiveGroup::Pump() {
  if (std::exchange(is_pumping_, true)) return;
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
  return page->at_head && subscription_->Arm() ? Progress::kWait : Progress::kMore;
}

absl::Status LiveGroup::Deliver(std::int64_t before, const stream::EventList& events) {
  if (events.empty()) return absl::OkStatus();
  LiveEvents live{.before = before, .sequences = {}, .formed = {}};
  std::vector<SharedFrame> plain;
  for (const store::EventRecord& event : events) {
    WATTMINT_ASSIGN_OR_RETURN(SharedFrame frame, groups_.frames_.Get(event, encoding_));
    live.sequences.push_back(event.sequence);
    plain.push_back(std::move(frame));
  }
  live.formed = deflate_.Make(plain, takers_);
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
  if (!rest.empty()) member.pending_bytes = member.connection->SendAll(rest);
}

void LiveGroup::Count(const LiveEvents& live) {
  Counters& counters = groups_.counters_;
  counters.events_sent += live.rest_count;
  for (std::size_t i = 0; i < kFormsCount; ++i) {
    const FormedFrames& sent = live.formed[i];
    counters.events_sent += live.takers[i] * std::ssize(sent.frames);
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

LiveGroups::LiveGroups(stream::Hub& hub, EventFrames& frames, Counters& counters,
                       const Limits& limits, Post post)
    : hub_(hub), frames_(frames), counters_(counters), limits_(limits), post_(std::move(post)) {}

LiveGroups::~LiveGroups() {
  for (const auto& groups : groups_) {
    WATTMINT_ASSERT(groups.empty(), "{} groups outlive their owner", groups.size());
  }
}

std::size_t LiveGroups::ByInterest::Hash(const stream::Interest& interest) {
  return absl::HashOf(stream::HashOf(interest.filters), interest.scope.user_id);
}

std::shared_ptr<LiveGroup> LiveGroups::Join(const stream::Interest& interest, Encoding encoding,
                                            std::int64_t after, SessionStream& stream,
                                            WebSocketConnection& connection) {
  const auto& groups = groups_[static_cast<std::size_t>(encoding)];
  const auto found = groups.find(interest);
  // The log may have been replaced by a shorter one.
  const bool fits = found != groups.end() && (*found)->position() <= after;
  auto group =
      fits ? (*found)->shared_from_this()
           : std::make_shared<LiveGroup>(*this, interest, encoding, std::min(after, hub_.head()));
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
