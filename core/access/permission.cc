// SPDX-License-Identifier: Apache-2.0
#include "core/access/permission.h"

#include <cstddef>
#include <iterator>

namespace wattmint::access {
namespace {

using enum Permission;

constexpr PermissionSet kEverybody = {kIdentify, kCreateTicket, kReadEvents, kReadSupply};
constexpr PermissionSet kOwner =
    kEverybody |
    PermissionSet{kSubmitReadings, kReadReadings, kReadMeters, kSetMeterWallet, kReadMints};
constexpr PermissionSet kFleet = {kSubmitReadings, kImportHistory, kCorrectReadings};
constexpr PermissionSet kFeed = {kIdentify, kReadEvents, kReadEventsAsUser, kReadSupply};

constexpr Grant GrantOfOne(Role role) {
  switch (role) {
    case Role::kUser:
      return {.own = kOwner, .any = {}};
    case Role::kIngest:
      return {.own = kOwner | kFleet, .any = kFleet};
    case Role::kAdmin:
      return {.own = PermissionSet::All(), .any = PermissionSet::All()};
    case Role::kRelay:
      return {.own = kFeed, .any = kFeed};
    case Role::kViewer:
      return {.own = kEverybody, .any = {}};
  }
  return {};
}

constexpr std::string_view kNames[] = {
    "identity.read",   "tickets.create",      "tickets.create_for_user",
    "events.read",     "events.read_as_user", "readings.submit",
    "readings.import", "readings.correct",    "readings.read",
    "meters.read",     "meters.set_wallet",   "meters.manage",
    "mints.read",      "mints.manage",        "supply.read",
    "keys.manage",     "server.inspect",      "alerts.send",
};
static_assert(std::size(kNames) == kPermissionCount);
static_assert(static_cast<int>(kSendAlerts) == kPermissionCount - 1);
static_assert(kPermissionCount < 32, "a set is 32 bits");

}  // namespace

Grant GrantOf(RoleSet roles) {
  Grant grant;
  for (const Role role : kAllRoles) {
    if (!roles.Has(role)) continue;
    const Grant more = GrantOfOne(role);
    grant.own = grant.own | more.own;
    grant.any = grant.any | more.any;
  }
  return grant;
}

std::string_view PermissionName(Permission permission) {
  return kNames[static_cast<std::size_t>(permission)];
}

}  // namespace wattmint::access
