// SPDX-License-Identifier: Apache-2.0
#include "bridge/subscription_set.h"

#include "core/base/assert.h"
#include "core/stream/filter_set.h"

#include <algorithm>
#include <utility>

namespace wattmint::bridge {

bool SubscriptionSet::Add(const std::vector<Channel>& channels, const SubscriptionLimits& limits) {
  std::set<Channel> all = channels_;
  all.insert(channels.begin(), channels.end());
  const auto objects = std::ranges::count_if(all, &Channel::IsOfObject);
  const auto users = std::ranges::count_if(all, &Channel::IsOfUser);
  if (all.size() > limits.channels_max ||
      static_cast<std::size_t>(objects) > limits.object_channels_max ||
      static_cast<std::size_t>(users) > limits.user_channels_max) {
    return false;
  }
  channels_ = std::move(all);
  filter_.reset();
  Recount();
  return true;
}

void SubscriptionSet::Replace(domain::EventFilter filter) {
  channels_.clear();
  filter_ = std::move(filter);
  Recount();
}

void SubscriptionSet::Remove(const std::vector<Channel>& channels) {
  filter_.reset();
  for (const Channel& channel : channels) channels_.erase(channel);
  if (channels.empty()) channels_.clear();
  Recount();
}

void SubscriptionSet::Recount() {
  event_channels_count_ =
      static_cast<std::size_t>(std::ranges::count_if(channels_, &Channel::HasEvents));
}

bool SubscriptionSet::Has(Channel::Kind kind) const {
  return std::ranges::any_of(channels_,
                             [kind](const Channel& channel) { return channel.kind == kind; });
}

std::vector<std::string> SubscriptionSet::Names() const {
  std::vector<std::string> names;
  for (const Channel& channel : channels_) names.push_back(channel.Name());
  return names;
}

std::vector<domain::EventFilter> SubscriptionSet::Filters() const {
  WATTMINT_ASSERT(HasEvents(), "no filters of nothing");
  if (filter_) return {*filter_};
  std::vector<domain::EventFilter> filters;
  for (const Channel& channel : channels_) {
    if (!channel.HasEvents()) continue;
    filters.push_back(channel.ToFilter());
    const absl::Status status = filters.back().Normalize();
    WATTMINT_ASSERT(status.ok(), "channel {}: {}", channel.Name(), status.ToString());
  }
  return filters;
}

stream::Interest SubscriptionSet::ToInterest(const access::EventScope& scope) const {
  stream::Interest interest{.scope = scope, .filters = Filters()};
  if (interest.filters.size() == 1 && interest.filters.front().IsEmpty()) interest.filters.clear();
  return interest;
}

std::uint64_t SubscriptionSet::Hash() const { return stream::HashOf(Filters()); }

}  // namespace wattmint::bridge
