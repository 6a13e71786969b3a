// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/filter.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::stream {

struct Interest;

// A subscriber as the dispatcher sees it.
struct Waiter {
  const Interest* interest = nullptr;  // valid while the subscription lives
  std::function<void()> waker;
  // First matching sequence since the last look; 0: none. The subscriber may skip to it.
  std::atomic<std::int64_t> first_match{0};
  std::atomic<bool> armed{false};
};

// Finds the subscribers that an event concerns: each is filed under the most selective attribute
// that all of its filters name (meter, else user or own scope, else type), so that finding is a few
// look-ups. Threads: the caller's lock.
class InterestIndex {
 public:
  void Add(const std::shared_ptr<Waiter>& waiter);
  void Remove(const std::shared_ptr<Waiter>& waiter);
  // Calls `visit` for each waiter whose interest matches; never twice for one.
  void VisitMatches(const domain::EventAttributes& event,
                    const std::function<void(Waiter&)>& visit) const;
  // Calls `visit` for every waiter.
  void VisitAll(const std::function<void(Waiter&)>& visit) const;
  std::size_t size() const { return all_.size(); }

 private:
  using Bucket = absl::flat_hash_set<std::shared_ptr<Waiter>>;
  std::vector<std::string> KeysOf(const Interest& interest) const;

  absl::flat_hash_map<std::string, Bucket> buckets_;  // by "m:<meter>", "u:<user>", "t:<type>", "*"
  Bucket all_;
};

}  // namespace wattmint::stream
