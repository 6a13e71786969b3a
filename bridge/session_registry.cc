// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_registry.h"

#include "core/base/assert.h"

namespace wattmint::bridge {

SessionRegistry::~SessionRegistry() {
  WATTMINT_ASSERT(sessions_.empty(), "{} sessions outlive their registry", sessions_.size());
}

void SessionRegistry::Add(SessionId id, Session& session) { sessions_.emplace(id, &session); }

void SessionRegistry::Remove(SessionId id) { sessions_.erase(id); }

void SessionRegistry::ForEach(const std::function<void(Session&)>& visit) {
  for (const auto& [id, session] : sessions_) visit(*session);
}

}  // namespace wattmint::bridge
