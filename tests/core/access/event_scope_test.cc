// SPDX-License-Identifier: Apache-2.0
#include "core/access/event_scope.h"

#include <gtest/gtest.h>

namespace wattmint::access {
namespace {

using Audience = EventScope::Audience;
using Reach = EventScope::Reach;

TEST(EventScopeTest, EverythingSeesEveryAudience) {
  const EventScope scope{.reach = Reach::kEverything, .user_id = {}};
  EXPECT_TRUE(scope.Allows(Audience::kPublic, ""));
  EXPECT_TRUE(scope.Allows(Audience::kOwner, "alice"));
  EXPECT_TRUE(scope.Allows(Audience::kAdmin, ""));
}

TEST(EventScopeTest, OwnSeesWhatConcernsTheUserAlone) {
  const EventScope scope{.reach = Reach::kOwn, .user_id = "alice"};
  EXPECT_TRUE(scope.Allows(Audience::kPublic, ""));
  EXPECT_TRUE(scope.Allows(Audience::kOwner, "alice"));
  EXPECT_FALSE(scope.Allows(Audience::kOwner, "alice2"));
  EXPECT_FALSE(scope.Allows(Audience::kOwner, ""));
  EXPECT_FALSE(scope.Allows(Audience::kAdmin, "alice"));
}

TEST(EventScopeTest, PublicSeesWhatIsPublicAlone) {
  const EventScope scope;
  EXPECT_TRUE(scope.Allows(Audience::kPublic, "alice"));
  EXPECT_FALSE(scope.Allows(Audience::kOwner, ""));
  EXPECT_FALSE(scope.Allows(Audience::kOwner, "alice"));
  EXPECT_FALSE(scope.Allows(Audience::kAdmin, ""));
}

}  // namespace
}  // namespace wattmint::access
