// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/event.h"
#include "core/domain/mint_state.h"

#include "absl/status/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::domain {

// What a filter can ask of an event. An attribute that the event lacks is empty (or nothing).
struct EventAttributes {
  EventType type = EventType::kMeterReadingReceived;
  std::string user_id;
  std::string meter_id;
  std::string wallet_address;
  std::string batch_id;
  std::int64_t task_id = 0;
  std::optional<Energy> energy;
  std::optional<MintState> mint_state;  // of a TaskStatusChanged: the new one
  // Who may see the event: its owner (user_id), admins only, or everybody.
  enum class Audience : std::uint8_t { kOwner, kAdmin, kPublic } audience = Audience::kOwner;
};

EventAttributes AttributesOf(const Fact& fact);

// Which events a subscriber wants: fields are combined by and, the values of one field by or, and
// an empty field lets everything through. An attribute that an event lacks does not match a filter
// on it.
struct EventFilter {
  std::vector<EventType> types;
  std::vector<std::string> meter_ids;
  std::vector<std::string> user_ids;
  std::vector<std::string> wallet_addresses;
  std::vector<std::string> batch_ids;
  std::vector<std::int64_t> task_ids;
  std::vector<MintState> mint_states;
  std::optional<Energy> energy_min;  // included
  std::optional<Energy> energy_max;  // included

  // Sorts and removes repeated values, so that equal filters are equal. kInvalidArgument when a
  // list is too long, an id is none, or energy_min is above energy_max.
  absl::Status Normalize();
  // REQUIRES: normalized.
  bool Matches(const EventAttributes& event) const;
  // The fields of wattmint.v1.EventFilter that do not let the event through, such as "meter_ids";
  // none if it matches. REQUIRES: normalized.
  std::vector<std::string_view> ExcludedBy(const EventAttributes& event) const;
  // Equal for equal filters, stable across versions: it goes into cursors. REQUIRES: normalized.
  std::uint64_t Hash() const;
  bool IsEmpty() const;

  friend bool operator==(const EventFilter&, const EventFilter&) = default;
};

inline constexpr std::size_t kFilterTypesMax = 32;
inline constexpr std::size_t kFilterValuesMax = 1'000;
inline constexpr std::size_t kFilterBatchesMax = 100;

}  // namespace wattmint::domain
