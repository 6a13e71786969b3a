// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/filter.h"

#include <absl/status/status.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::stream {

inline constexpr std::size_t kFiltersMax = 50;               // of one subscription. Source: S1
inline constexpr std::size_t kFilterValuesInAllMax = 5'000;  // chosen: some 200 kB
inline constexpr std::size_t kFilterNameMax = 64;            // bytes

// The filters of one subscription, by name: an event that any of them lets through is wanted, once.
// A value.
class FilterSet {
 public:
  // Adds it, or replaces the one of that name. REQUIRES: normalized. Errors, and nothing changes:
  // kInvalidArgument for a name that is too long; kResourceExhausted above a maximum.
  absl::Status Put(std::string_view name, domain::EventFilter filter);
  // Errors, and nothing changes: kNotFound; kFailedPrecondition for the last one, since a
  // subscription to nothing is none.
  absl::Status Remove(std::string_view name);

  // As in Interest: none of them means everything.
  std::vector<domain::EventFilter> Filters() const;
  const std::map<std::string, domain::EventFilter, std::less<>>& by_name() const {
    return filters_;
  }

 private:
  std::map<std::string, domain::EventFilter, std::less<>> filters_;
};

// What cursors remember of filters; in any order the same. That of a single filter is its own.
std::uint64_t HashOf(std::span<const domain::EventFilter> filters);

}  // namespace wattmint::stream
