// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/filter.h"

#include <string>
#include <string_view>

namespace wattmint::access {

// Which events a principal may see. A value.
struct EventScope {
  enum class Reach { kPublic, kOwn, kEverything };
  using Audience = domain::EventAttributes::Audience;

  Reach reach = Reach::kPublic;
  std::string user_id;  // with kOwn: whose events, never empty; else empty

  // `owner_user_id`: whom the event concerned when it happened; it matters for Audience::kOwner.
  bool Allows(Audience audience, std::string_view owner_user_id) const {
    if (audience == Audience::kPublic || reach == Reach::kEverything) return true;
    return audience == Audience::kOwner && reach == Reach::kOwn && owner_user_id == user_id;
  }

  friend bool operator==(const EventScope&, const EventScope&) = default;
};

}  // namespace wattmint::access
