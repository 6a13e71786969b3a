// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/domain/filter.h"
#include "core/store/event_log.h"
#include "core/stream/interest.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace wattmint::stream {

// A subscriber as the dispatcher sees it.
struct Waiter {
  Waiter(const Interest& wanted, std::function<void()> wake)
      : interest(wanted), waker(std::move(wake)) {}

  const Interest interest;
  // First matching sequence since the subscriber looked last; 0: none.
  std::atomic<std::int64_t> first_match{0};
  // Whether the subscriber wants to be woken.
  std::atomic<bool> armed{false};

  base::Mutex mutex;                                       // guards the end of the subscription
  std::function<void()> waker WATTMINT_GUARDED_BY(mutex);  // empty: it has ended
};

// Finds the subscribers that an event concerns: each is filed under the most selective attribute
// that its filters name (meter, else user or own scope, else type), so that finding is a few
// look-ups.
// Thread-compatible.
class InterestIndex {
 public:
  void Add(const std::shared_ptr<Waiter>& waiter);
  void Remove(const std::shared_ptr<Waiter>& waiter);

  using Visitor = std::function<void(const std::shared_ptr<Waiter>&)>;
  using MatchVisitor = std::function<void(const std::shared_ptr<Waiter>&, std::int64_t sequence)>;
  // Visits each waiter with the first of the events that its interest matches; perhaps with further
  // ones. Passes by those who know already that they have to look and do not ask to be woken.
  // REQUIRES: whoever looks from now on finds all of the events.
  void VisitMatches(std::span<const store::EventRecord> events, const MatchVisitor& visit) const;
  void VisitAll(const Visitor& visit) const;
  std::size_t size() const { return all_.size(); }

 private:
  using Bucket = absl::flat_hash_set<std::shared_ptr<Waiter>>;
  using Buckets = absl::flat_hash_map<std::string, Bucket>;

  // Calls `visit(buckets, key)` for every place that the interest is filed under, and
  // `at_all(everything_)` if it is filed there.
  template <typename Visit, typename VisitEverything>
  void VisitPlaces(const Interest& interest, const Visit& visit, const VisitEverything& at_all);
  void VisitSelected(const store::EventRecord& event, const MatchVisitor& visit) const;

  Buckets by_meter_;
  Buckets by_user_;
  absl::flat_hash_map<domain::EventType, Bucket> by_type_;
  Bucket everything_;  // what names no attribute
  Bucket all_;
};

}  // namespace wattmint::stream
