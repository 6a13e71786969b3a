// SPDX-License-Identifier: Apache-2.0
#include "core/access/permission.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace wattmint::access {
namespace {

using enum Permission;

std::vector<Permission> AllPermissions() {
  std::vector<Permission> all;
  for (int i = 0; i < kPermissionCount; ++i) all.push_back(static_cast<Permission>(i));
  return all;
}

// "own", "any" or "no", as the table of roles in this test says it.
std::string ReachOf(Role role, Permission permission) {
  const Grant grant = GrantOf(RoleSet{role});
  if (grant.any.Has(permission)) return "any";
  return grant.own.Has(permission) ? "own" : "no";
}

TEST(PermissionTest, EveryPermissionHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Permission permission : AllPermissions()) names.insert(PermissionName(permission));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kPermissionCount));
  EXPECT_EQ(PermissionName(kIdentify), "identity.read");
  EXPECT_EQ(PermissionName(kSubmitReadings), "readings.submit");
  EXPECT_EQ(PermissionName(kManageKeys), "keys.manage");
}

TEST(PermissionTest, RolesGrantWhatTheTableSays) {
  struct Row {
    Permission permission;
    const char* user;
    const char* ingest;
    const char* relay;
    const char* viewer;
  };
  const Row rows[] = {
      {kIdentify, "own", "own", "any", "own"},        {kCreateTicket, "own", "own", "no", "own"},
      {kCreateTicketForUser, "no", "no", "no", "no"}, {kReadEvents, "own", "own", "any", "own"},
      {kReadEventsAsUser, "no", "no", "any", "no"},   {kSubmitReadings, "own", "any", "no", "no"},
      {kImportHistory, "no", "any", "no", "no"},      {kCorrectReadings, "no", "any", "no", "no"},
      {kReadReadings, "own", "own", "no", "no"},      {kReadMeters, "own", "own", "no", "no"},
      {kSetMeterWallet, "own", "own", "no", "no"},    {kManageMeters, "no", "no", "no", "no"},
      {kReadMints, "own", "own", "no", "no"},         {kManageMints, "no", "no", "no", "no"},
      {kReadSupply, "own", "own", "any", "own"},      {kManageKeys, "no", "no", "no", "no"},
      {kInspectServer, "no", "no", "no", "no"},       {kSendAlerts, "no", "no", "no", "no"},
  };
  ASSERT_EQ(std::size(rows), static_cast<std::size_t>(kPermissionCount));
  for (const Row& row : rows) {
    const std::string_view name = PermissionName(row.permission);
    EXPECT_EQ(ReachOf(Role::kUser, row.permission), row.user) << name;
    EXPECT_EQ(ReachOf(Role::kIngest, row.permission), row.ingest) << name;
    EXPECT_EQ(ReachOf(Role::kAdmin, row.permission), "any") << name;
    EXPECT_EQ(ReachOf(Role::kRelay, row.permission), row.relay) << name;
    EXPECT_EQ(ReachOf(Role::kViewer, row.permission), row.viewer) << name;
  }
}

TEST(PermissionTest, WhatIsGrantedOnAnybodysIsGrantedOnOnesOwn) {
  for (const Role role : kAllRoles) {
    const Grant grant = GrantOf(RoleSet{role});
    for (const Permission permission : AllPermissions()) {
      EXPECT_TRUE(!grant.any.Has(permission) || grant.own.Has(permission))
          << RoleName(role) << " " << PermissionName(permission);
    }
  }
}

TEST(PermissionTest, SeveralRolesAddUp) {
  const Grant grant = GrantOf({Role::kViewer, Role::kIngest});
  EXPECT_TRUE(grant.any.Has(kImportHistory));
  EXPECT_TRUE(grant.own.Has(kReadReadings));
}

TEST(PermissionTest, NoRoleGrantsNothing) {
  const Grant grant = GrantOf(RoleSet());
  for (const Permission permission : AllPermissions()) {
    EXPECT_FALSE(grant.own.Has(permission)) << PermissionName(permission);
  }
}

}  // namespace
}  // namespace wattmint::access
