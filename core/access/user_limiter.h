// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/rate_limiter.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace wattmint::access {

// How much of its user's rate a call takes.
enum class RateClass {
  kLight,  // 1
  kHeavy,  // kHeavyCallCost: reads or writes many rows, or opens a stream
};
inline constexpr std::int64_t kHeavyCallCost = 10;  // chosen

// Whether the principal works for others: fleets, admins, bridges. Only their keys limit them.
bool ServesOthers(const Principal& principal);

// Lets every user make so many calls a second, by whichever credentials and connections; twice as
// many at once after a rest.
//
// A user is forgotten once rested, so memory is bounded by those who called within two seconds, and
// by kUsersMax whatever happens. Calls of different users hardly ever wait for each other.
// Threads: any. Lifetime: the clock must outlive it.
class UserLimiter {
 public:
  static constexpr std::size_t kUsersMax = 65'536;  // chosen: some 4 MB

  // 0 calls: no limit. REQUIRES: calls_per_second >= 0.
  UserLimiter(std::int32_t calls_per_second, base::Clock& clock);
  UserLimiter(const UserLimiter&) = delete;
  UserLimiter& operator=(const UserLimiter&) = delete;

  // Errors: kResourceExhausted with RATE_LIMITED and a time to retry after.
  absl::Status Take(const Principal& principal, RateClass rate_class);

  std::size_t users_count();

 private:
  struct alignas(64) Shard {  // a cache line of its own
    base::Mutex mutex;        // guards the map
    // By hash of the user, so that a name takes no memory; two with the same hash share a rate.
    absl::flat_hash_map<std::uint64_t, base::RateLimiter> users WATTMINT_GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShards = 16;

  base::RateLimiter& FindLocked(Shard& shard, std::uint64_t user) WATTMINT_REQUIRES(shard.mutex);

  const std::int32_t calls_per_second_;
  const base::RateLimit limit_;
  base::Clock& clock_;
  std::array<Shard, kShards> shards_;
};

}  // namespace wattmint::access
