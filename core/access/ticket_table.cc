// SPDX-License-Identifier: Apache-2.0
#include "core/access/ticket_table.h"

#include "core/access/reason.h"
#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace wattmint::access {
namespace {

absl::Status InvalidTicket() {
  return WithReason(base::Unauthenticated("the ticket is not valid"), reason::kInvalidTicket);
}

bool HasExpired(const Principal& principal, base::Time now) {
  return principal.expires_at.has_value() && now >= *principal.expires_at;
}

}  // namespace

TicketTable::TicketTable(Options options, base::Clock& clock, base::RandomSource& random)
    : options_(options), clock_(clock), random_(random) {}

absl::StatusOr<TicketTable::Ticket> TicketTable::Issue(const Principal& principal) {
  std::array<std::uint8_t, 32> bytes{};
  random_.Fill(bytes);
  Ticket ticket{.text = base::EncodeBase64(bytes, base::Base64::kUrlSafe),
                .expires_at = clock_.Now() + options_.lifetime};
  if (principal.expires_at.has_value()) {
    ticket.expires_at = std::min(ticket.expires_at, *principal.expires_at);
  }
  const base::Sha256Digest hash = base::Sha256(base::AsBytes(ticket.text));
  const auto now = clock_.Steady();

  base::MutexLock lock(mutex_);
  while (!pending_.empty() && pending_.front().deadline <= now) TakeLocked(pending_.begin());
  WATTMINT_RETURN_IF_ERROR(CheckRoomLocked(principal.user_id, now));
  pending_.push_back({.hash = hash, .principal = principal, .deadline = now + options_.lifetime});
  by_hash_.emplace(hash, std::prev(pending_.end()));
  ++counts_by_user_[principal.user_id];
  return ticket;
}

absl::Status TicketTable::CheckRoomLocked(const std::string& user_id,
                                          std::chrono::steady_clock::time_point now) {
  const auto count = counts_by_user_.find(user_id);
  const bool user_has_room =
      count == counts_by_user_.end() || count->second < options_.tickets_per_user_max;
  if (pending_.size() < options_.tickets_max && user_has_room) return absl::OkStatus();
  const auto wait = std::chrono::ceil<base::Duration>(pending_.front().deadline - now);
  return WithRetryAfter(WithReason(base::ResourceExhausted("too many tickets wait for their use"),
                                   reason::kTooManyTickets),
                        wait);
}

absl::StatusOr<Principal> TicketTable::Redeem(std::string_view text) {
  const base::Sha256Digest hash = base::Sha256(base::AsBytes(text));
  base::MutexLock lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return InvalidTicket();
  Pending pending = TakeLocked(found->second);
  if (clock_.Steady() >= pending.deadline) return InvalidTicket();
  if (HasExpired(pending.principal, clock_.Now())) return InvalidTicket();
  return std::move(pending.principal);
}

TicketTable::Pending TicketTable::TakeLocked(PendingList::iterator pending) {
  Pending taken = std::move(*pending);
  by_hash_.erase(taken.hash);
  const auto count = counts_by_user_.find(taken.principal.user_id);
  if (--count->second == 0) counts_by_user_.erase(count);
  pending_.erase(pending);
  return taken;
}

}  // namespace wattmint::access
