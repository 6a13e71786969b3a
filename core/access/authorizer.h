// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/event_scope.h"
#include "core/access/permission.h"
#include "core/access/principal.h"
#include "core/domain/filter.h"
#include "core/store/meter_registry.h"

#include <absl/status/status.h>

#include <optional>
#include <string_view>

// The one place that decides who may do what, for every transport. The functions are pure; every
// refusal is kPermissionDenied with a reason, and tells nothing about what exists.
namespace wattmint::access {

// Whether the principal may make such calls at all: asked first, before anything is looked up.
absl::Status CheckPermission(const Principal& principal, Permission permission);

// Whether the principal may do it to what `owner_user_id` owns (a meter, reading, task, wallet); to
// what anybody owns, if that is empty.
bool MayTouch(const Principal& principal, Permission permission, std::string_view owner_user_id);

// As MayTouch, as a status. `owner_user_id` is nullopt for what does not exist: who may touch only
// their own gets the same refusal for that as for what is somebody else's; for all others it is OK,
// and the caller tells that there is no such thing.
absl::Status CheckOwner(const Principal& principal, Permission permission,
                        std::optional<std::string_view> owner_user_id);

// Which events the principal may see: all (admin, relay), their own (user, ingest), public ones.
EventScope ScopeOf(const Principal& principal);

// Whether the principal may name the users, meters and wallets that the filter names: themselves,
// what they own now, and the wallets of their credential. The scope limits what comes out in any
// case; this makes a refusal of a subscription that could only stay silent.
absl::Status CheckFilter(const Principal& principal, const domain::EventFilter& filter,
                         const store::MeterRegistry& meters);

}  // namespace wattmint::access
