// SPDX-License-Identifier: Apache-2.0
#include "core/stream/interest_index.h"

namespace wattmint::stream {
namespace {

constexpr bool kTheOnlyKey = true;

template <typename Buckets, typename Key>
const typename Buckets::mapped_type* Find(const Buckets& buckets, const Key& key) {
  const auto it = buckets.find(key);
  return it == buckets.end() ? nullptr : &it->second;
}

}  // namespace

template <typename Visit>
void InterestIndex::VisitPlaces(const Interest& interest, const Visit& visit) {
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
      visit(everything_, kTheOnlyKey);
    }
  };
  if (interest.filters.empty()) file(domain::EventFilter{});
  for (const domain::EventFilter& filter : interest.filters) file(filter);
}

void InterestIndex::Add(const std::shared_ptr<Waiter>& waiter) {
  all_.insert(waiter);
  VisitPlaces(waiter->interest,
              [&waiter](auto& buckets, const auto& key) { buckets[key].insert(waiter); });
}

void InterestIndex::Remove(const std::shared_ptr<Waiter>& waiter) {
  all_.erase(waiter);
  VisitPlaces(waiter->interest, [&waiter](auto& buckets, const auto& key) {
    const auto it = buckets.find(key);
    if (it == buckets.end()) return;
    it->second.erase(waiter);
    if (it->second.empty()) buckets.erase(it);
  });
}

void InterestIndex::VisitBucket(const Bucket& bucket, const domain::EventAttributes& event,
                                const Visitor& visit) {
  for (const std::shared_ptr<Waiter>& waiter : bucket) {
    if (waiter->interest.Matches(event)) visit(waiter);
  }
}

void InterestIndex::VisitMatches(const domain::EventAttributes& event, const Visitor& visit) const {
  if (event.audience == domain::EventAttributes::Audience::kPublic) {
    VisitBucket(all_, event, visit);
    return;
  }
  if (const Bucket* bucket = Find(by_meter_, event.meter_id)) VisitBucket(*bucket, event, visit);
  if (const Bucket* bucket = Find(by_user_, event.user_id)) VisitBucket(*bucket, event, visit);
  if (const Bucket* bucket = Find(by_type_, event.type)) VisitBucket(*bucket, event, visit);
  if (const Bucket* bucket = Find(everything_, kTheOnlyKey)) VisitBucket(*bucket, event, visit);
}

void InterestIndex::VisitAll(const Visitor& visit) const {
  for (const std::shared_ptr<Waiter>& waiter : all_) visit(waiter);
}

}  // namespace wattmint::stream
