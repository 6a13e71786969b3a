// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/channel.h"
#include "core/access/event_scope.h"
#include "core/domain/filter.h"
#include "core/stream/interest.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wattmint::bridge {

struct SubscriptionLimits {
  std::size_t channels_max = 50;  // Source: requirements S1-07 to S1-09
  std::size_t object_channels_max = 20;
  std::size_t user_channels_max = 10;
};

// What one session is subscribed to: a union of channels, or one event filter, or nothing. A value.
class SubscriptionSet {
 public:
  // Adds channels; a filter is forgotten. False, and nothing changes, if that passes a limit.
  bool Add(const std::vector<Channel>& channels, const SubscriptionLimits& limits);
  // Forgets everything else. REQUIRES: normalized.
  void Replace(domain::EventFilter filter);
  // Removes channels (those that are not there are passed over), or everything if `channels` is
  // empty or there is a filter.
  void Remove(const std::vector<Channel>& channels);

  bool HasEvents() const { return filter_.has_value() || event_channels_count_ > 0; }
  bool Has(Channel::Kind kind) const;
  const std::optional<domain::EventFilter>& filter() const { return filter_; }
  std::vector<std::string> Names() const;  // of the channels, in a fixed order

  // REQUIRES: HasEvents().
  stream::Interest ToInterest(const access::EventScope& scope) const;
  // For cursors: the filter's own hash where one filter says it all, so that the cursor is good on
  // gRPC too. Equal for equal sets. REQUIRES: HasEvents().
  std::uint64_t Hash() const;

 private:
  std::vector<domain::EventFilter> Filters() const;
  void Recount();

  std::set<Channel> channels_;
  std::optional<domain::EventFilter> filter_;
  std::size_t event_channels_count_ = 0;
};

}  // namespace wattmint::bridge
