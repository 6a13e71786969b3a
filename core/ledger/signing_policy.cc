// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signing_policy.h"

#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/ledger/mint_text.h"

#include <algorithm>
#include <utility>

namespace wattmint::ledger {
namespace {

using domain::TokenAmount;

constexpr std::int64_t kStepsPerDay = 100;          // in which the limit of a day is set aside
constexpr std::size_t kTextsPerDayMax = 4'000'000;  // chosen: about 100 MB to remember them

}  // namespace

SigningPolicy::SigningPolicy(Limits limits, Day day, Keep keep)
    : limits_(std::move(limits)),
      keep_(std::move(keep)),
      day_(day),
      signed_today_(day.set_aside.base_units()) {}

absl::Status SigningPolicy::Admit(std::string_view text, domain::Time now) {
  WATTMINT_ASSIGN_OR_RETURN(const MintText mint, MintText::Parse(text));
  const TokenAmount tokens = mint.order.tokens;
  if (!domain::IsWalletAddress(mint.order.wallet_address)) {
    return base::InvalidArgument("the wallet is no Solana address");
  }
  if (!limits_.ledger_id.empty() && mint.ledger_id != limits_.ledger_id) {
    return base::InvalidArgument("this signer is for another ledger");
  }
  if (limits_.per_mint && tokens > *limits_.per_mint) {
    return base::InvalidArgument("{} GRX are above the limit of {} for one mint", tokens.ToString(),
                                 limits_.per_mint->ToString());
  }
  if (!limits_.per_day) return absl::OkStatus();
  if (tokens > *limits_.per_day) {
    return base::InvalidArgument("{} GRX are above the limit of {} for a day", tokens.ToString(),
                                 limits_.per_day->ToString());
  }
  return Count(text, tokens, now);
}

absl::Status SigningPolicy::Count(std::string_view text, TokenAmount tokens, domain::Time now) {
  // A clock that went back does not bring a day back.
  const auto today = std::max(std::chrono::floor<std::chrono::days>(now), day_.date);
  if (today > day_.date) {
    day_ = {.date = today, .set_aside = {}};
    signed_today_ = 0;
    texts_today_.clear();
  }
  const store::Hash hash = base::Sha256(base::AsBytes(text));
  Digest digest;
  std::copy_n(hash.begin(), digest.size(), digest.begin());
  if (texts_today_.contains(digest)) return absl::OkStatus();
  const std::int64_t limit = limits_.per_day->base_units();
  if (tokens.base_units() > limit - signed_today_ || texts_today_.size() >= kTextsPerDayMax) {
    return base::Unavailable("the limit of {} GRX for a day is reached",
                             limits_.per_day->ToString());
  }
  const std::int64_t sum = signed_today_ + tokens.base_units();
  if (sum > day_.set_aside.base_units()) {
    const std::int64_t step = std::min(limit / kStepsPerDay, limit - sum);
    const Day next{.date = today, .set_aside = TokenAmount::FromBaseUnits(sum + step)};
    WATTMINT_RETURN_IF_ERROR(keep_(next));
    day_ = next;
  }
  signed_today_ = sum;
  texts_today_.insert(digest);
  return absl::OkStatus();
}

}  // namespace wattmint::ledger
