// SPDX-License-Identifier: Apache-2.0
#include "core/access/user_limiter.h"

#include "core/access/reason.h"
#include "core/base/assert.h"
#include "core/base/status.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <string>

namespace wattmint::access {
namespace {

constexpr std::int64_t kBurstSeconds = 2;

base::RateLimit LimitOf(std::int32_t calls_per_second) {
  return {.capacity = std::max(kBurstSeconds * calls_per_second, kHeavyCallCost),
          .refill_per_second = static_cast<double>(std::max(calls_per_second, 1))};
}

}  // namespace

bool ServesOthers(const Principal& principal) {
  return principal.roles.Has(Role::kIngest) || principal.roles.Has(Role::kAdmin) ||
         principal.roles.Has(Role::kRelay);
}

UserLimiter::UserLimiter(std::int32_t calls_per_second, base::Clock& clock)
    : calls_per_second_(calls_per_second), limit_(LimitOf(calls_per_second)), clock_(clock) {
  WATTMINT_ASSERT(calls_per_second >= 0, "{} calls a second", calls_per_second);
}

absl::Status UserLimiter::Take(const Principal& principal, RateClass rate_class) {
  if (calls_per_second_ == 0 || ServesOthers(principal)) return absl::OkStatus();
  const std::uint64_t user = absl::Hash<std::string>()(principal.user_id);
  const std::int64_t cost = rate_class == RateClass::kHeavy ? kHeavyCallCost : 1;
  // The map takes the low bits.
  Shard& shard = shards_[(user >> 48) % kShards];
  base::Duration wait{};
  {
    base::MutexLock lock(shard.mutex);
    wait = FindLocked(shard, user).Take(cost);
  }
  if (wait == base::Duration::zero()) return absl::OkStatus();
  return WithRetryAfter(
      WithReason(base::ResourceExhausted("the user makes too many calls"), reason::kRateLimited),
      wait);
}

base::RateLimiter& UserLimiter::FindLocked(Shard& shard, std::uint64_t user) {
  if (const auto known = shard.users.find(user); known != shard.users.end()) return known->second;
  if (shard.users.size() >= kUsersMax / kShards) {
    absl::erase_if(shard.users, [this](const auto& entry) {
      return entry.second.Available() == limit_.capacity;
    });
    // More active users than there is room for: all begin anew.
    if (shard.users.size() >= kUsersMax / kShards) shard.users.clear();
  }
  return shard.users.emplace(user, base::RateLimiter(limit_, clock_)).first->second;
}

std::size_t UserLimiter::users_count() {
  std::size_t count = 0;
  for (Shard& shard : shards_) {
    base::MutexLock lock(shard.mutex);
    count += shard.users.size();
  }
  return count;
}

}  // namespace wattmint::access
