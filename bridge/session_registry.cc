// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_registry.h"

#include "bridge/session.h"
#include "core/base/assert.h"

#include <algorithm>

namespace wattmint::bridge {
namespace {

constexpr std::chrono::seconds kAgain{1};  // chosen: after a tick that has failed

}  // namespace

SessionRegistry::Entry::Entry(SessionRegistry& registry, Session& session, SessionId id)
    : registry_(registry), session_(session), id_(id), place_(registry.places_.size()) {
  registry.places_.push_back({.due = Time::min(), .entry = this});
}

SessionRegistry::Entry::~Entry() {
  registry_.places_[place_] = registry_.places_.back();
  registry_.places_[place_].entry->place_ = place_;
  registry_.places_.pop_back();
}

void SessionRegistry::Entry::Hurry() { registry_.places_[place_].due = Time::min(); }

SessionRegistry::~SessionRegistry() {
  WATTMINT_ASSERT(places_.empty(), "{} sessions outlive their registry", places_.size());
}

void SessionRegistry::ForEach(const std::function<void(Session&)>& visit) {
  for (const Place& place : places_) visit(place.entry->session_);
}

void SessionRegistry::Tick(Time now) {
  for (Place& place : places_) {
    if (now < place.due) continue;
    const Time again = now + kAgain;
    place.due = again;
    const Time next = place.entry->session_.OnTick();
    if (place.due == again) place.due = next;  // else it hurries
  }
}

}  // namespace wattmint::bridge
