// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

namespace wattmint::bridge {

class Session;
using SessionId = std::uint64_t;

// The open sessions of one thread, and those of them that have something to look at.
//
// Threads: Wake() from any; all else from the owner's. Lifetime: empty when it ends.
class SessionRegistry {
 public:
  // `post` runs work on the owner's thread.
  using Post = std::function<void(std::function<void()> work)>;
  explicit SessionRegistry(Post post) : post_(std::move(post)) {}
  ~SessionRegistry();
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;

  SessionId Add(Session& session);
  void Remove(SessionId id);
  std::size_t size() const { return sessions_.size(); }

  // Calls the session's Pump() soon, if it still lives. Many wakes cost one posting.
  void Wake(SessionId id) WATTMINT_EXCLUDES(mutex_);

  // `visit` may end sessions only by closing their connections.
  void ForEach(const std::function<void(Session&)>& visit);

 private:
  void PumpWoken() WATTMINT_EXCLUDES(mutex_);

  const Post post_;
  SessionId last_id_ = 0;
  std::unordered_map<SessionId, Session*> sessions_;

  base::Mutex mutex_;  // guards who is to be looked at
  std::vector<SessionId> woken_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::bridge
