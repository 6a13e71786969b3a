// SPDX-License-Identifier: Apache-2.0
#include "core/access/role.h"

#include <gtest/gtest.h>

namespace wattmint::access {
namespace {

TEST(RoleTest, EveryNameParsesToItsRole) {
  for (const Role role : kAllRoles) EXPECT_EQ(ParseRole(RoleName(role)), role);
}

TEST(RoleTest, OtherNamesAreNoRole) {
  for (const char* name : {"", "Admin", "root", "admin ", "ADMIN"}) {
    EXPECT_EQ(ParseRole(name), std::nullopt) << name;
  }
}

TEST(RoleTest, BitsAreTheStoredOnes) {
  EXPECT_EQ(RoleSet({Role::kUser}).bits(), 1u);
  EXPECT_EQ(RoleSet({Role::kIngest}).bits(), 2u);
  EXPECT_EQ(RoleSet({Role::kAdmin}).bits(), 4u);
  EXPECT_EQ(RoleSet({Role::kRelay}).bits(), 8u);
  EXPECT_EQ(RoleSet({Role::kViewer}).bits(), 16u);
}

TEST(RoleTest, SetSurvivesItsBits) {
  const RoleSet roles = {Role::kUser, Role::kRelay};
  EXPECT_EQ(RoleSet::FromBits(roles.bits()), roles);
  EXPECT_TRUE(roles.Has(Role::kRelay));
  EXPECT_FALSE(roles.Has(Role::kAdmin));
}

TEST(RoleTest, BitsThatAreNoRoleAreDropped) {
  EXPECT_TRUE(RoleSet::FromBits(~std::uint32_t{31}).IsEmpty());
}

}  // namespace
}  // namespace wattmint::access
