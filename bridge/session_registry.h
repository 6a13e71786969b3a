// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

namespace wattmint::bridge {

class Session;
using SessionId = std::uint64_t;  // no other session of the bridge has it

// The open sessions of one thread.
//
// Threads: the owner's. Lifetime: empty when it ends.
class SessionRegistry {
 public:
  // Runs work on the owner's thread. Called from any.
  using Post = std::function<void(std::function<void()> work)>;
  SessionRegistry() = default;
  ~SessionRegistry();
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;

  // REQUIRES: no other has that id.
  void Add(SessionId id, Session& session);
  void Remove(SessionId id);
  std::size_t size() const { return sessions_.size(); }

  // `visit` may end sessions only by closing their connections.
  void ForEach(const std::function<void(Session&)>& visit);

 private:
  std::unordered_map<SessionId, Session*> sessions_;
};

}  // namespace wattmint::bridge
