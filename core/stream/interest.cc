// SPDX-License-Identifier: Apache-2.0
#include "core/stream/interest.h"

#include <algorithm>

namespace wattmint::stream {
std::string ScopeName(const access::EventScope& scope) {
  switch (scope.reach) {
    case access::EventScope::Reach::kEverything:
      return "all";
    case access::EventScope::Reach::kOwn:
      return "user:" + scope.user_id;
    case access::EventScope::Reach::kPublic:
      break;
  }
  return "public";
}

bool IsVisible(const access::EventScope& scope, const domain::EventAttributes& event) {
  return scope.Allows(event.audience, event.user_id);
}

bool Interest::Matches(const domain::EventAttributes& event) const {
  if (!IsVisible(scope, event)) return false;
  return filters.empty() || std::ranges::any_of(filters, [&event](const auto& filter) {
           return filter.Matches(event);
         });
}

}  // namespace wattmint::stream
