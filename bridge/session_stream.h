// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/live_group.h"
#include "bridge/session_context.h"
#include "bridge/websocket_server.h"
#include "core/stream/hub.h"

#include <absl/status/status.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace wattmint::bridge {

// One session's way through the log: a position, and what moves it on.
//
// Who has come to the head joins the group of those that want the same. Until then the stream reads
// on its own: what the hub keeps in memory at once; what lies further back is asked from the core,
// page by page. A socket that does not take what it is sent gets no more until it has drained: then
// the stream goes on from its position, wherever that lies by now. So the memory of a session is
// bounded, and nothing is lost.
//
// Threads: the owner's. Lifetime: ends before its connection and its context.
class SessionStream {
 public:
  // `on_lost` is called when the stream can't go on (kOutOfRange: compacted); it then has ended.
  SessionStream(const SessionContext& context, WebSocketConnection& connection,
                SessionRegistry::Entry& entry, const Delivery& delivery,
                std::function<void(const absl::Status& why)> on_lost);
  ~SessionStream();
  SessionStream(const SessionStream&) = delete;
  SessionStream& operator=(const SessionStream&) = delete;

  // Streams `interest` behind `after`; what was streamed before ends. `place` makes the cursors.
  void Start(stream::Interest interest, stream::Cursor place, std::int64_t after);
  void End();
  bool IsRunning() const { return is_running_; }

  // Sends what there is and what fits. To be called when the socket has drained.
  void Pump();
  // Sends at once what is live, also what waits for its group's interval.
  void Flush();
  // To be called from retry_at() on, which may come earlier than it was: then the entry hurries.
  void OnTick();
  SessionRegistry::Time retry_at() const { return retry_at_; }

  // REQUIRES: IsRunning().
  std::int64_t position() const;
  // "" unless it runs.
  std::string Cursor() const;

  // For its group. It has everything up to `position`, but its socket takes no more.
  void OnStalled(std::int64_t position);
  // It goes on alone, or is lost if `why` is an error.
  void OnGroupEnd(const absl::Status& why);
  void set_place_in_group(std::size_t place) { place_in_group_ = place; }

 private:
  enum class Progress { kMore, kWait };

  Progress Step();
  Progress StepInTail();
  Progress GoLive();
  void LeaveGroup(std::int64_t position);
  void ReadHistory();
  void OnHistory(absl::StatusOr<HistoryPage> page);
  void Send(const stream::EventList& events);
  void FallBehind();
  void Lose(const absl::Status& why);

  const SessionContext& context_;
  const ServerMessages& messages_;
  WebSocketConnection& connection_;
  SessionRegistry::Entry& entry_;
  const Delivery delivery_;
  const std::function<void(const absl::Status& why)> on_lost_;

  bool is_running_ = false;
  stream::Interest interest_;                           // in a group: the group has it
  stream::Cursor place_;                                // its sequence is not used
  std::int64_t position_ = 0;                           // in a group: when it joined
  std::unique_ptr<stream::Subscription> subscription_;  // catches up in the hub's tail
  std::shared_ptr<LiveGroup> group_;                    // shared: with its other members
  std::size_t place_in_group_ = 0;
  bool is_pumping_ = false;
  bool is_reading_ = false;
  bool has_caught_up_ = false;
  bool is_in_trouble_ = false;  // history cannot be had; told once
  SessionRegistry::Time retry_at_ = SessionRegistry::Time::max();  // reads nothing until then
  // shared: answers of the core hold it weakly, to know whether they are still wanted.
  std::shared_ptr<const bool> wanted_;
};

}  // namespace wattmint::bridge
