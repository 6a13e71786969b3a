// SPDX-License-Identifier: Apache-2.0
#include "core/stream/interest_index.h"

#include <algorithm>

namespace wattmint::stream {
namespace {

template <typename Buckets, typename Key>
const typename Buckets::mapped_type* Find(const Buckets& buckets, const Key& key) {
  const auto it = buckets.find(key);
  return it == buckets.end() ? nullptr : &it->second;
}

// Whether a waiter knows already that there is something, and is on its way.
bool IsToLook(const Waiter& waiter) {
  return waiter.first_match.load() != 0 && !waiter.armed.load();
}

}  // namespace

template <typename Visit, typename VisitEverything>
void InterestIndex::VisitPlaces(const Interest& interest, const Visit& visit,
                                const VisitEverything& at_all) {
  if (interest.scope.reach == access::EventScope::Reach::kPublic) return;
  const bool own = interest.scope.reach == access::EventScope::Reach::kOwn;
  const auto file = [&](const domain::EventFilter& filter) {
    if (!filter.meter_ids.empty()) {
      for (const std::string& meter_id : filter.meter_ids) visit(by_meter_, meter_id);
    } else if (!filter.user_ids.empty()) {
      for (const std::string& user_id : filter.user_ids) visit(by_user_, user_id);
    } else if (!filter.types.empty() && !own) {
      for (const domain::EventType type : filter.types) visit(by_type_, type);
    } else if (own) {
      visit(by_user_, interest.scope.user_id);
    } else {
      at_all(everything_);
    }
  };
  if (interest.filters.empty()) file(domain::EventFilter{});
  for (const domain::EventFilter& filter : interest.filters) file(filter);
}

void InterestIndex::Add(const std::shared_ptr<Waiter>& waiter) {
  all_.insert(waiter);
  VisitPlaces(
      waiter->interest, [&waiter](auto& buckets, const auto& key) { buckets[key].insert(waiter); },
      [&waiter](Bucket& bucket) { bucket.insert(waiter); });
}

void InterestIndex::Remove(const std::shared_ptr<Waiter>& waiter) {
  all_.erase(waiter);
  VisitPlaces(
      waiter->interest,
      [&waiter](auto& buckets, const auto& key) {
        const auto it = buckets.find(key);
        if (it == buckets.end()) return;
        it->second.erase(waiter);
        if (it->second.empty()) buckets.erase(it);
      },
      [&waiter](Bucket& bucket) { bucket.erase(waiter); });
}

// Events are many and these waiters are many: one match for each of them is enough.
void InterestIndex::VisitMatches(std::span<const store::EventRecord> events,
                                 const MatchVisitor& visit) const {
  for (const std::shared_ptr<Waiter>& waiter : everything_) {
    if (IsToLook(*waiter)) continue;
    const auto match = std::ranges::find_if(events, [&waiter](const store::EventRecord& event) {
      return waiter->interest.Matches(event.body->attributes);
    });
    if (match != events.end()) visit(waiter, match->sequence);
  }
  for (const store::EventRecord& event : events) VisitSelected(event, visit);
}

void InterestIndex::VisitSelected(const store::EventRecord& event,
                                  const MatchVisitor& visit) const {
  const domain::EventAttributes& attributes = event.body->attributes;
  const auto visit_bucket = [&](const Bucket& bucket) {
    for (const std::shared_ptr<Waiter>& waiter : bucket) {
      if (IsToLook(*waiter) || !waiter->interest.Matches(attributes)) continue;
      visit(waiter, event.sequence);
    }
  };
  if (attributes.audience == domain::EventAttributes::Audience::kPublic) return visit_bucket(all_);
  if (const Bucket* bucket = Find(by_meter_, attributes.meter_id)) visit_bucket(*bucket);
  if (const Bucket* bucket = Find(by_user_, attributes.user_id)) visit_bucket(*bucket);
  if (const Bucket* bucket = Find(by_type_, attributes.type)) visit_bucket(*bucket);
}

void InterestIndex::VisitAll(const Visitor& visit) const {
  for (const std::shared_ptr<Waiter>& waiter : all_) visit(waiter);
}

}  // namespace wattmint::stream
