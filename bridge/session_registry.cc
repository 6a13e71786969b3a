// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_registry.h"

#include "bridge/session.h"
#include "core/base/assert.h"

#include <utility>

namespace wattmint::bridge {

SessionRegistry::~SessionRegistry() {
  WATTMINT_ASSERT(sessions_.empty(), "{} sessions outlive their registry", sessions_.size());
}

SessionId SessionRegistry::Add(Session& session) {
  sessions_.emplace(++last_id_, &session);
  return last_id_;
}

void SessionRegistry::Remove(SessionId id) { sessions_.erase(id); }

void SessionRegistry::Wake(SessionId id) {
  base::MutexLock lock(mutex_);
  woken_.push_back(id);
  if (woken_.size() > 1) return;  // posted already
  lock.Unlock();
  post_([this] { PumpWoken(); });
}

void SessionRegistry::PumpWoken() {
  std::vector<SessionId> woken;
  {
    base::MutexLock lock(mutex_);
    woken.swap(woken_);
  }
  for (const SessionId id : woken) {
    const auto session = sessions_.find(id);
    if (session != sessions_.end()) session->second->Pump();
  }
}

void SessionRegistry::ForEach(const std::function<void(Session&)>& visit) {
  for (const auto& [id, session] : sessions_) visit(*session);
}

}  // namespace wattmint::bridge
