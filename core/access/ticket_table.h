// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/base/sha256.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>

namespace wattmint::access {

// Tickets: short-lived texts that stand for a principal once, so that a browser can put one into an
// address without giving away its credential. They live in memory only.
//
// Threads: any. Lifetime: clock and random source must outlive it.
class TicketTable {
 public:
  struct Options {
    base::Duration lifetime = std::chrono::seconds(60);
    std::size_t tickets_max = 10'000;       // not yet redeemed, of all users; chosen: about 3 MB
    std::size_t tickets_per_user_max = 20;  // not yet redeemed; chosen: one for each open tab
  };
  struct Ticket {
    std::string text;  // 43 characters, good in addresses and as a WebSocket subprotocol
    base::Time expires_at{};
  };

  TicketTable(Options options, base::Clock& clock, base::RandomSource& random);
  TicketTable(const TicketTable&) = delete;
  TicketTable& operator=(const TicketTable&) = delete;

  // Errors: kResourceExhausted with TOO_MANY_TICKETS and a time to retry after.
  absl::StatusOr<Ticket> Issue(const Principal& principal) WATTMINT_EXCLUDES(mutex_);

  // The principal of a ticket, which is used up. Errors: kUnauthenticated with INVALID_TICKET:
  // unknown, used, or too old, which is not told apart.
  absl::StatusOr<Principal> Redeem(std::string_view text) WATTMINT_EXCLUDES(mutex_);

 private:
  struct Pending {
    base::Sha256Digest hash{};
    Principal principal;
    std::chrono::steady_clock::time_point deadline;
  };
  using PendingList = std::list<Pending>;

  absl::Status CheckRoomLocked(const std::string& user_id,
                               std::chrono::steady_clock::time_point now) WATTMINT_REQUIRES(mutex_);
  Pending TakeLocked(PendingList::iterator pending) WATTMINT_REQUIRES(mutex_);

  const Options options_;
  base::Clock& clock_;
  base::RandomSource& random_;
  base::Mutex mutex_;                                // guards the tickets
  PendingList pending_ WATTMINT_GUARDED_BY(mutex_);  // by deadline
  absl::flat_hash_map<base::Sha256Digest, PendingList::iterator> by_hash_
      WATTMINT_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::size_t> counts_by_user_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::access
