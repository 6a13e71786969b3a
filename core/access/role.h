// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace wattmint::access {

// What a principal is. The numbers are those of wattmint.v1.Role: never renumber, never reuse.
enum class Role : std::uint8_t {
  kUser = 1,    // own meters, own readings, own events
  kIngest = 2,  // submits readings for any meter
  kAdmin = 3,   // everything
  kRelay = 4,   // a bridge: the whole feed
  kViewer = 5,  // public event classes only
};

inline constexpr Role kAllRoles[] = {Role::kUser, Role::kIngest, Role::kAdmin, Role::kRelay,
                                     Role::kViewer};

// A set of roles, stored in API keys as bits(): bit n - 1 stands for role n. A value.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) Add(role);
  }
  // Bits that are no role are dropped.
  static constexpr RoleSet FromBits(std::uint32_t bits) {
    RoleSet roles;
    for (const Role role : kAllRoles) {
      if ((bits & Bit(role)) != 0) roles.Add(role);
    }
    return roles;
  }

  constexpr void Add(Role role) { bits_ |= Bit(role); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool IsEmpty() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }

  friend constexpr bool operator==(RoleSet, RoleSet) = default;

 private:
  static constexpr std::uint32_t Bit(Role role) {
    return std::uint32_t{1} << (static_cast<unsigned>(role) - 1);
  }
  std::uint32_t bits_ = 0;
};

// "user", "ingest", "admin", "relay", "viewer".
constexpr std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kUser:
      return "user";
    case Role::kIngest:
      return "ingest";
    case Role::kAdmin:
      return "admin";
    case Role::kRelay:
      return "relay";
    case Role::kViewer:
      return "viewer";
  }
  return "";
}

constexpr std::optional<Role> ParseRole(std::string_view name) {
  for (const Role role : kAllRoles) {
    if (RoleName(role) == name) return role;
  }
  return std::nullopt;
}

}  // namespace wattmint::access
