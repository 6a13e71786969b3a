// SPDX-License-Identifier: Apache-2.0
#include "core/stream/feed.h"

#include "core/access/authorizer.h"
#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/stream/filter_set.h"

#include <algorithm>
#include <string>
#include <utility>

namespace wattmint::stream {
namespace {

using Steady = std::chrono::steady_clock;

}  // namespace

absl::StatusOr<std::unique_ptr<Feed>> Feed::Open(const Sources& sources, FeedOptions options,
                                                 FeedRequest request, std::function<void()> waker) {
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, sources.log.GetBounds());
  Interest interest{.scope = access::ScopeOf(request.principal),
                    .filters = std::move(request.filters)};
  Cursor place{.epoch = bounds.epoch,
               .sequence = 0,
               .filter_hash = HashOf(interest.filters),
               .scope = ScopeName(interest.scope)};
  WATTMINT_ASSIGN_OR_RETURN(
      place.sequence,
      FindStart(request.start, {sources.log, bounds, sources.hub.head(), sources.signer, place}));
  std::unique_ptr<Feed> feed(
      new Feed(sources, options, std::move(request.principal), std::move(place), std::move(waker)));
  feed->subscription_ =
      sources.hub.Subscribe(std::move(interest), feed->place_.sequence, feed->waker_);
  return feed;
}

Feed::Feed(const Sources& sources, FeedOptions options, access::Principal principal, Cursor place,
           std::function<void()> waker)
    : sources_(sources),
      options_(options),
      waker_(std::move(waker)),
      principal_(std::move(principal)),
      place_(std::move(place)),
      heartbeat_at_(sources.clock.Steady() + options.heartbeat) {}

std::string Feed::CursorHere() const {
  Cursor cursor = place_;
  cursor.sequence = subscription_->position();
  return sources_.signer.Encode(cursor);
}

Feed::FiltersChanged Feed::SetFilters(std::vector<domain::EventFilter> filters) {
  const std::int64_t delivered = subscription_->position();
  place_.filter_hash = HashOf(filters);
  Interest interest{.scope = subscription_->interest().scope, .filters = std::move(filters)};
  subscription_ = sources_.hub.Subscribe(std::move(interest), delivered, waker_);
  return {.change_id = 0, .holds_from = delivered + 1, .cursor = CursorHere()};
}

absl::Status Feed::Renew(access::Principal principal) {
  if (ScopeName(access::ScopeOf(principal)) != place_.scope ||
      principal.user_id != principal_.user_id) {
    return access::WithReason(
        base::PermissionDenied("the credential is of another user, or sees other events"),
        "SCOPE_CHANGED");
  }
  principal_ = std::move(principal);
  has_warned_ = false;
  must_recheck_ = true;
  return absl::OkStatus();
}

Feed::Step Feed::Next() {
  if (std::optional<Step> step = NextOfCredential(); step.has_value()) return *std::move(step);
  if (std::optional<Step> step = NextNotice(); step.has_value()) return *std::move(step);
  return NextOfLog();
}

std::optional<Feed::Step> Feed::NextOfCredential() {
  const bool has_ended =
      principal_.expires_at.has_value() && sources_.clock.Now() >= *principal_.expires_at;
  if (!has_ended && !std::exchange(must_recheck_, false)) return std::nullopt;
  const absl::Status status = sources_.authenticator.CheckCurrent(principal_);
  if (status.ok()) return std::nullopt;
  return End{status};
}

std::optional<Feed::Step> Feed::NextNotice() {
  const std::int64_t head = sources_.hub.head();
  const std::int64_t delivered = subscription_->position();
  if (!std::exchange(is_established_, true)) {
    return Message(Established{place_.epoch, CursorHere(), head});
  }
  if (drain_after_.has_value()) {
    if (!std::exchange(has_told_drain_, true))
      return Message(Draining{*drain_after_, CursorHere()});
    return End{access::WithRetryAfter(
        access::WithReason(base::Unavailable("the server is about to stop"), "DRAINING"),
        *drain_after_)};
  }
  if (principal_.expires_at.has_value() && !has_warned_ &&
      sources_.clock.Now() >= *principal_.expires_at - options_.expiry_warning) {
    has_warned_ = true;
    return Message(CredentialExpiring{*principal_.expires_at});
  }
  if (std::exchange(owes_heartbeat_, false)) {
    return Message(Heartbeat{CursorHere(), head, delivered});
  }
  if (std::exchange(owes_fell_behind_, false)) return Message(FellBehind{head, delivered});
  return std::nullopt;
}

Feed::Step Feed::NextOfLog() {
  absl::StatusOr<Page> page =
      subscription_->Next(options_.batch_events_max, options_.batch_bytes_max);
  if (!page.ok()) return End{page.status()};
  if (has_caught_up_ && !page->at_head && !subscription_->IsInTail()) {
    has_caught_up_ = false;
    owes_fell_behind_ = true;
  }
  // A heartbeat comes right behind a look at the log, so that its cursor is as far as can be.
  if (sources_.clock.Steady() >= heartbeat_at_) {
    heartbeat_at_ = sources_.clock.Steady() + options_.heartbeat;
    owes_heartbeat_ = true;
  }
  if (!page->events.empty()) return Message(Events{std::move(page->events)});
  if (owes_heartbeat_ || owes_fell_behind_ || !page->at_head) return Again{};
  if (!std::exchange(has_caught_up_, true)) return Message(CaughtUp{CursorHere()});
  if (!subscription_->Arm()) return Again{};
  return Wait{};
}

Steady::time_point Feed::due() const {
  if (!principal_.expires_at.has_value()) return heartbeat_at_;
  const base::Time next =
      has_warned_ ? *principal_.expires_at : *principal_.expires_at - options_.expiry_warning;
  // No longer than to the heartbeat: far ahead, the steady clock cannot count so far.
  const base::Duration wait = std::min(next - sources_.clock.Now(), options_.heartbeat);
  return std::min<Steady::time_point>(heartbeat_at_, sources_.clock.Steady() + wait);
}

}  // namespace wattmint::stream
