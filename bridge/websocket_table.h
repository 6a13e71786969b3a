// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it.

#include "bridge/log.h"
#include "bridge/websocket_socket.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

namespace wattmint::bridge::impl {

inline constexpr int kGoingAway = 1001;
inline constexpr std::chrono::milliseconds kSweepIntervalMax{1000};

// The connections of one server, each by a number of its own. Threads: the server's.
class SocketTable {
 public:
  bool IsEmpty() const { return sockets_.empty(); }

  // Returns its number.
  std::uint64_t Add(std::unique_ptr<Socket> socket) {
    const std::uint64_t id = ++last_id_;
    sockets_.emplace(id, std::move(socket));
    requests_.insert(id);
    return id;
  }

  // nullptr: it is gone.
  Socket* Find(std::uint64_t id) const {
    const auto found = sockets_.find(id);
    return found == sockets_.end() ? nullptr : found->second.get();
  }

  void Remove(std::uint64_t id) {
    requests_.erase(id);
    sockets_.erase(id);
  }

  // It is a WebSocket from now on.
  void EndRequest(std::uint64_t id) { requests_.erase(id); }

  // Cuts the oldest that is no WebSocket: it says nothing, or not enough, or does not read. Whoever
  // is honest needs no longer than the way to here and back. False if there is none.
  bool CutOldestRequest() {
    if (requests_.empty()) return false;
    const std::uint64_t oldest = *requests_.begin();
    requests_.erase(requests_.begin());
    sockets_.at(oldest)->Cut();
    return true;
  }

  // From time to time: pings the quiet, and cuts the dead and those that never finish their
  // handshake.
  void Sweep(SteadyTime now, const WebSocketServer::Options& options, WebSocketHandler& handler) {
    if (now < next_sweep_) return;
    next_sweep_ =
        now + std::min<std::chrono::milliseconds>(kSweepIntervalMax, options.ping_interval / 4);
    static const SharedFrame ping = std::make_shared<const std::string>("\x89\x00", 2);
    for (const auto& [id, socket] : sockets_) {
      const bool open = socket->stage == Socket::Stage::kOpen;
      const auto silent = now - socket->heard;
      // Who has been answered may take its time to read.
      const bool patient = open || socket->answered;
      if (silent > (patient ? options.pong_timeout : options.handshake_timeout)) {
        WebsocketLog()->debug("{} is cut: nothing came of it in time", socket->peer);
        handler.OnLimit(open ? ServerLimit::kNoPong : ServerLimit::kHandshakeTimeout);
        socket->Cut();
      } else if (open && now - socket->pinged >= options.ping_interval) {
        socket->pinged = now;
        socket->Send(ping);
      }
    }
  }

  // Says goodbye to the WebSockets, and cuts the rest.
  void CloseAll() {
    for (const auto& [id, socket] : sockets_) {
      if (socket->stage == Socket::Stage::kOpen) {
        socket->Close(kGoingAway, "the server stops");
      } else {
        socket->Cut();
      }
    }
  }

  void CutAll() {
    for (const auto& [id, socket] : sockets_) socket->Cut();
  }

 private:
  std::uint64_t last_id_ = 0;
  SteadyTime next_sweep_{};
  std::unordered_map<std::uint64_t, std::unique_ptr<Socket>> sockets_;
  std::set<std::uint64_t> requests_;  // those that are no WebSockets, the oldest first
};

}  // namespace wattmint::bridge::impl
