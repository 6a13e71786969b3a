// SPDX-License-Identifier: Apache-2.0
#include "core/stream/filter_set.h"

#include "core/base/bytes.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

#include <algorithm>
#include <utility>

namespace wattmint::stream {
namespace {

std::size_t ValuesOf(const domain::EventFilter& filter) {
  return filter.types.size() + filter.meter_ids.size() + filter.user_ids.size() +
         filter.wallet_addresses.size() + filter.batch_ids.size() + filter.task_ids.size() +
         filter.mint_states.size();
}

}  // namespace

absl::Status FilterSet::Put(std::string_view name, domain::EventFilter filter) {
  if (name.size() > kFilterNameMax) {
    return base::InvalidArgument("the name of a filter has {} bytes, at most {} are allowed",
                                 name.size(), kFilterNameMax);
  }
  const bool is_new = filters_.find(name) == filters_.end();
  if (is_new && filters_.size() >= kFiltersMax) {
    return base::ResourceExhausted("a subscription has at most {} filters", kFiltersMax);
  }
  std::size_t values = ValuesOf(filter);
  for (const auto& [other, known] : filters_) {
    if (other != name) values += ValuesOf(known);
  }
  if (values > kFilterValuesInAllMax) {
    return base::ResourceExhausted("the filters have {} values, at most {} are allowed in all",
                                   values, kFilterValuesInAllMax);
  }
  filters_.insert_or_assign(std::string(name), std::move(filter));
  return absl::OkStatus();
}

absl::Status FilterSet::Remove(std::string_view name) {
  const auto found = filters_.find(name);
  if (found == filters_.end()) return base::NotFound("there is no filter of that name");
  if (filters_.size() == 1) {
    return base::FailedPrecondition("it is the last filter; end the stream instead");
  }
  filters_.erase(found);
  return absl::OkStatus();
}

std::vector<domain::EventFilter> FilterSet::Filters() const {
  std::vector<domain::EventFilter> filters;
  for (const auto& [name, filter] : filters_) {
    if (filter.IsEmpty()) return {};
    filters.push_back(filter);
  }
  return filters;
}

std::uint64_t HashOf(std::span<const domain::EventFilter> filters) {
  if (filters.empty()) return domain::EventFilter{}.Hash();
  if (filters.size() == 1) return filters.front().Hash();
  std::vector<std::uint64_t> hashes;
  for (const domain::EventFilter& filter : filters) hashes.push_back(filter.Hash());
  std::ranges::sort(hashes);
  std::string bytes;
  for (const std::uint64_t hash : hashes) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(hash >> (8 * i)));
  }
  const base::Sha256Digest digest = base::Sha256(base::AsBytes(bytes));
  std::uint64_t combined = 0;
  for (std::size_t i = 0; i < 8; ++i) combined = combined << 8 | digest[i];
  return combined;
}

}  // namespace wattmint::stream
