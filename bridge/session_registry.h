// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace wattmint::bridge {

class Session;
using SessionId = std::uint64_t;  // no other session of the bridge has it

// The open sessions of one thread, and when each wants to look at the clock.
//
// Threads: the owner's. Lifetime: empty when it ends.
class SessionRegistry {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Runs work on the owner's thread. Called from any.
  using Post = std::function<void(std::function<void()> work)>;

  // A session's place. Lifetime: within the registry's and the session's.
  class Entry {
   public:
    // The next Tick() looks at the session.
    Entry(SessionRegistry& registry, Session& session, SessionId id);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    SessionId id() const { return id_; }
    // The next Tick() looks at the session, not one that comes when the session had said.
    void Hurry();

   private:
    friend class SessionRegistry;
    SessionRegistry& registry_;
    Session& session_;
    const SessionId id_;
    std::size_t place_;
  };

  SessionRegistry() = default;
  ~SessionRegistry();
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;

  std::size_t size() const { return places_.size(); }

  // `visit` may end sessions only by closing their connections.
  void ForEach(const std::function<void(Session&)>& visit);

  // Session::OnTick() of those whose time has come.
  void Tick(Time now);

 private:
  // Those that need nothing now are passed over without a look at their own memory.
  struct Place {
    Time due;
    Entry* entry;
  };

  std::vector<Place> places_;
};

}  // namespace wattmint::bridge
