// SPDX-License-Identifier: Apache-2.0
#include "core/access/authorizer.h"

#include "core/access/reason.h"
#include "core/base/status.h"

#include <algorithm>
#include <string>
#include <vector>

namespace wattmint::access {
namespace {

bool HasWallets(const Principal& principal, const domain::EventFilter& filter,
                const store::MeterRegistry& meters) {
  const std::vector<std::string> paid = meters.WalletsOf(principal.user_id);
  return std::ranges::all_of(filter.wallet_addresses, [&](const std::string& wallet_address) {
    return std::ranges::find(paid, wallet_address) != paid.end() ||
           std::ranges::find(principal.wallets, wallet_address) != principal.wallets.end();
  });
}

absl::Status FilterNotAllowed(std::string_view what) {
  return WithReason(base::PermissionDenied("the filter names a {} that is not yours", what),
                    reason::kFilterNotAllowed);
}

}  // namespace

absl::Status CheckPermission(const Principal& principal, Permission permission) {
  if (GrantOf(principal.roles).own.Has(permission)) return absl::OkStatus();
  return WithReason(
      base::PermissionDenied("the caller lacks the permission {}", PermissionName(permission)),
      reason::kPermissionMissing);
}

bool MayTouch(const Principal& principal, Permission permission, std::string_view owner_user_id) {
  const Grant grant = GrantOf(principal.roles);
  if (grant.any.Has(permission)) return true;
  return grant.own.Has(permission) && !owner_user_id.empty() && owner_user_id == principal.user_id;
}

absl::Status CheckOwner(const Principal& principal, Permission permission,
                        std::optional<std::string_view> owner_user_id) {
  if (MayTouch(principal, permission, owner_user_id.value_or(""))) return absl::OkStatus();
  if (absl::Status status = CheckPermission(principal, permission); !status.ok()) return status;
  return WithReason(base::PermissionDenied("there is no such thing of yours"), reason::kNotOwner);
}

EventScope ScopeOf(const Principal& principal) {
  const RoleSet roles = principal.roles;
  if (roles.Has(Role::kAdmin) || roles.Has(Role::kRelay)) {
    return {.reach = EventScope::Reach::kEverything, .user_id = {}};
  }
  const bool owns = roles.Has(Role::kUser) || roles.Has(Role::kIngest);
  if (owns && !principal.user_id.empty()) {
    return {.reach = EventScope::Reach::kOwn, .user_id = principal.user_id};
  }
  return {};
}

absl::Status CheckFilter(const Principal& principal, const domain::EventFilter& filter,
                         const store::MeterRegistry& meters) {
  const EventScope scope = ScopeOf(principal);
  if (scope.reach == EventScope::Reach::kEverything) return absl::OkStatus();
  const bool owns = scope.reach == EventScope::Reach::kOwn;
  const auto is_self = [&](const std::string& user_id) { return owns && user_id == scope.user_id; };
  const auto has_meter = [&](const std::string& meter_id) {
    const auto meter = meters.Find(meter_id);
    return meter != nullptr && is_self(meter->user_id);
  };
  if (!std::ranges::all_of(filter.user_ids, is_self)) return FilterNotAllowed("user");
  if (!std::ranges::all_of(filter.meter_ids, has_meter)) return FilterNotAllowed("meter");
  if (!filter.wallet_addresses.empty() && !(owns && HasWallets(principal, filter, meters))) {
    return FilterNotAllowed("wallet");
  }
  return absl::OkStatus();
}

}  // namespace wattmint::access
