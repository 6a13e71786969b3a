// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/counters.h"
#include "bridge/delivery.h"
#include "bridge/event_frames.h"
#include "bridge/frame_deflater.h"
#include "bridge/shared_deflate.h"
#include "bridge/websocket_server.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/stream/hub.h"

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace wattmint::bridge {

class LiveGroups;
class SessionStream;

// What a group hands to its members: events that follow each other, framed.
struct LiveEvents {
  std::int64_t before = 0;  // the group's position until then
  std::vector<std::int64_t> sequences;
  std::vector<SharedFrame> singles;  // one for each, plain
  ByForm<FormedFrames> formed;       // as they go out
  ByForm<std::int64_t> takers{};     // members that got them, by form
  std::int64_t rest_count = 0;       // events to members that had the first ones

  // The single frames of those behind `after`.
  std::vector<SharedFrame> Behind(std::int64_t after) const;
};

// Streams that want the same, handed to them alike, and have nothing to catch up: one subscription
// serves them all, so that an event costs each of them hardly more than to write its frame; it is
// compressed once as well. What else a member is sent must not be compressed: SharedDeflate.
//
// Nobody waits for a member: one whose socket does not take its events leaves, and goes on alone.
// Threads: the owner's. Lifetime: its members hold it; it ends before its LiveGroups.
class LiveGroup : public std::enable_shared_from_this<LiveGroup> {
 public:
  LiveGroup(LiveGroups& groups, stream::Interest interest, const Delivery& delivery,
            std::int64_t after);
  ~LiveGroup();
  LiveGroup(const LiveGroup&) = delete;
  LiveGroup& operator=(const LiveGroup&) = delete;

  const stream::Interest& interest() const { return subscription_->interest(); }
  // Every member has everything up to here.
  std::int64_t position() const { return subscription_->position(); }

  // Hands out what there is, or begins to: the thread has others to serve; or nothing, before the
  // interval is over. A member may leave, or end, within.
  void Pump();
  // By the place that SessionStream::set_place_in_group() told.
  void Leave(std::size_t place);

 private:
  friend class LiveGroups;
  enum class Progress { kMore, kWait };

  struct Member {
    SessionStream* stream = nullptr;  // nullptr: it has left within Pump()
    WebSocketConnection* connection = nullptr;
    Form form = Form::kPlain;       // of the next events
    std::int64_t after = 0;         // it had everything up to here when it joined
    std::size_t pending_bytes = 0;  // of its connection, after the last events
  };

  void Wake();
  // If not, it is pumped later.
  bool IsTime();
  void Add(SessionStream& stream, WebSocketConnection& connection, std::int64_t after);
  void PumpSteps();
  Progress Step();
  std::vector<SharedFrame> AsDelivered(const std::vector<SharedFrame>& singles) const;
  absl::Status Deliver(std::int64_t before, const stream::EventList& events);
  void DeliverTo(Member& member, LiveEvents& live);
  void PrefetchFrom(std::size_t place) const;
  void SetForm(Member& member, Form form);
  void Count(const LiveEvents& live);
  // Everybody goes on alone; or ends, if `why` is an error.
  void Dissolve(const absl::Status& why);
  void GiveUpPlace();

  LiveGroups& groups_;
  const Delivery delivery_;
  // All that is looked at to deliver an event stands here, one behind the other.
  std::vector<Member> members_;
  std::size_t members_count_ = 0;
  ByForm<std::size_t> takers_{};  // members, by what they get next
  SharedDeflate deflate_;
  bool is_pumping_ = false;
  bool has_delivered_ = false;  // of a delivery that has not come to the head yet
  bool is_waiting_ = false;     // for its end
  std::chrono::steady_clock::time_point next_at_{};
  std::unique_ptr<stream::Subscription> subscription_;
};

// The groups of one thread, found by what they want, and those of them that have something to hand
// out.
//
// Threads: wakers of the hub from any; all else from the owner's. Lifetime: everything passed to
// the constructor must outlive it; empty when it ends.
class LiveGroups {
 public:
  struct Limits {
    std::size_t events_max = 0;            // of a page
    std::size_t bytes_max = 0;             // of its payload
    std::size_t pending_bytes_max = 0;     // of a connection that gets more
    std::size_t compressed_bytes_min = 0;  // smaller events are not compressed
  };
  // `post` runs work on the owner's thread.
  using Post = std::function<void(std::function<void()> work)>;
  LiveGroups(stream::Hub& hub, base::Clock& clock, EventFrames& frames, Counters& counters,
             const Limits& limits, Post post);
  ~LiveGroups();
  LiveGroups(const LiveGroups&) = delete;
  LiveGroups& operator=(const LiveGroups&) = delete;

  // A member from now on, which has everything up to `after`: the head of the hub or more, since
  // history may be ahead of it.
  std::shared_ptr<LiveGroup> Join(const stream::Interest& interest, const Delivery& delivery,
                                  std::int64_t after, SessionStream& stream,
                                  WebSocketConnection& connection);
  // Pumps those whose interval is over. Often enough: every quarter of a second.
  void OnTick();

 private:
  friend class LiveGroup;
  struct Wanted {
    const stream::Interest& interest;
    const Delivery& delivery;
  };
  struct ByWanted {
    using is_transparent = void;
    static Wanted Of(const Wanted& wanted) { return wanted; }
    static Wanted Of(const LiveGroup* group) { return {group->interest(), group->delivery_}; }
    static std::size_t Hash(const Wanted& wanted);

    template <typename Key>
    std::size_t operator()(const Key& key) const {
      return Hash(Of(key));
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a).delivery == Of(b).delivery && Of(a).interest == Of(b).interest;
    }
  };

  // From any thread. Many wakes cost one posting.
  void Wake(std::weak_ptr<LiveGroup> group) WATTMINT_EXCLUDES(mutex_);
  void PumpWoken() WATTMINT_EXCLUDES(mutex_);

  stream::Hub& hub_;
  base::Clock& clock_;
  EventFrames& frames_;
  Counters& counters_;
  const Limits limits_;
  const Post post_;
  FrameDeflater deflater_;
  absl::flat_hash_set<LiveGroup*, ByWanted, ByWanted> groups_;
  std::vector<std::weak_ptr<LiveGroup>> waiting_;  // for the end of their interval

  base::Mutex mutex_;  // guards who is to be looked at
  std::vector<std::weak_ptr<LiveGroup>> woken_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::bridge
