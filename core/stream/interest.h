// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/event_scope.h"
#include "core/domain/filter.h"

#include <string>
#include <vector>

namespace wattmint::stream {

// "all", "user:<id>" or "public": what a cursor remembers of its scope.
std::string ScopeName(const access::EventScope& scope);

// Whether an event is for this scope.
bool IsVisible(const access::EventScope& scope, const domain::EventAttributes& event);

// Which events one subscriber gets: those that any of the filters lets through, as far as the scope
// allows.
struct Interest {
  access::EventScope scope;
  std::vector<domain::EventFilter> filters;  // normalized; none: everything

  bool Matches(const domain::EventAttributes& event) const;
  // Whether Matches() says yes to whatever it is asked.
  bool IsEverything() const {
    return scope.reach == access::EventScope::Reach::kEverything && filters.empty();
  }

  friend bool operator==(const Interest&, const Interest&) = default;
};

}  // namespace wattmint::stream
