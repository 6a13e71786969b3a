// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/authorizer.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/rpc/status_convert.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/core.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What a caller gets to see of what is stored, asked in the same way by every service.
namespace wattmint::rpc {

// The user whose things a list holds: empty, which is everybody, for who may touch anybody's.
inline std::string OwnerFilter(const access::Principal& principal, access::Permission permission) {
  return access::MayTouch(principal, permission, "") ? std::string() : principal.user_id;
}

// Who a call is made for: the caller, or the user that a bridge asks for. Errors: kInvalidArgument;
// kPermissionDenied for who may ask for nobody else.
inline absl::StatusOr<access::Principal> ActingFor(const access::Principal& caller,
                                                   const std::string& as_user) {
  if (as_user.empty()) return caller;
  WATTMINT_RETURN_IF_ERROR(access::CheckPermission(caller, access::Permission::kReadEventsAsUser));
  if (!domain::IsUserId(as_user)) return BadField("as_user", "is no user id");
  return access::OnBehalfOf(caller, as_user);
}

// Whether the principal may have what was looked for. What is missing and what is somebody else's
// look the same to who may touch only their own; kNotFound for all others.
// `found` points to it, or to nothing.
template <typename Pointer>
absl::Status CheckFound(const access::Principal& principal, access::Permission permission,
                        const Pointer& found, std::string_view what, std::string_view id) {
  const std::optional<std::string_view> owner =
      found ? std::optional<std::string_view>(found->user_id) : std::nullopt;
  WATTMINT_RETURN_IF_ERROR(access::CheckOwner(principal, permission, owner));
  return found ? absl::OkStatus() : base::NotFound("there is no {} {}", what, id);
}

inline constexpr std::size_t kReasonBytesMax = 200;  // chosen: two lines

// Whether a text may be why something was done that cannot be taken back: nobody may leave it out.
inline absl::Status CheckReason(std::string_view reason) {
  if (!reason.empty() && reason.size() <= kReasonBytesMax) return absl::OkStatus();
  return BadField("reason", fmt::format("must have 1 to {} bytes", kReasonBytesMax));
}

}  // namespace wattmint::rpc
