// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/role.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace wattmint::access {

// What a call needs.
enum class Permission : std::uint8_t {
  kIdentify,             // ask who one is
  kCreateTicket,         // for oneself
  kCreateTicketForUser,  // for somebody else
  kReadEvents,           // stream and page the log, within the principal's scope
  kReadEventsAsUser,     // page the log within somebody else's scope
  kSubmitReadings,
  kImportHistory,    // submit without the age limit
  kCorrectReadings,  // and withdraw them
  kReadReadings,
  kReadMeters,
  kSetMeterWallet,
  kManageMeters,  // register, transfer
  kReadMints,     // mint tasks and balances
  kManageMints,   // mint by hand, retry, pause, resume
  kReadSupply,
  kManageKeys,     // make, list and revoke API keys
  kInspectServer,  // channelz: connections, addresses of clients
  kSendAlerts,     // to everybody, or to one user
};

inline constexpr int kPermissionCount = 18;

// A set of permissions. A value.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const Permission permission : permissions) bits_ |= Bit(permission);
  }
  static constexpr PermissionSet All() {
    return PermissionSet((std::uint32_t{1} << kPermissionCount) - 1);
  }

  constexpr bool Has(Permission permission) const { return (bits_ & Bit(permission)) != 0; }
  friend constexpr PermissionSet operator|(PermissionSet a, PermissionSet b) {
    return PermissionSet(a.bits_ | b.bits_);
  }

 private:
  explicit constexpr PermissionSet(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t Bit(Permission permission) {
    return std::uint32_t{1} << static_cast<unsigned>(permission);
  }
  std::uint32_t bits_ = 0;
};

// What roles allow on what belongs to the principal, and on what belongs to anybody. `any` is a
// subset of `own`.
struct Grant {
  PermissionSet own;
  PermissionSet any;
};

Grant GrantOf(RoleSet roles);

// Such as "readings.submit": stable, for messages.
std::string_view PermissionName(Permission permission);

}  // namespace wattmint::access
