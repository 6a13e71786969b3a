// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/fake_chain.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "tests/simulation/planted.h"

#include <algorithm>
#include <utility>

namespace wattmint::simulation {

using ledger::Receipt;
using ledger::Verdict;

FakeChain::Mint& FakeChain::Make(const ledger::MintOrder& order, std::int64_t expiry_height) {
  Mint mint;
  mint.order = order;
  mint.expiry_height = expiry_height;
  mint.signature = fmt::format("signature-{}", ++nonce_);
  mint.bytes = fmt::format("{}|{}|{}|{}|{}", order.idempotency_key, order.wallet_address,
                           order.tokens.base_units(), expiry_height, nonce_);
  return signed_.emplace(mint.bytes, std::move(mint)).first->second;
}

std::int64_t FakeChain::Lag() {
  return faults_.Strikes(Fault::kStaleView) ? static_cast<std::int64_t>(random_.NextBelow(12)) : 0;
}

std::vector<absl::StatusOr<ledger::SignedMint>> FakeChain::Sign(
    std::span<const ledger::MintOrder> orders) {
  if (meanwhile) meanwhile();
  std::vector<absl::StatusOr<ledger::SignedMint>> mints;
  const std::int64_t expiry = kind_ == Kind::kInstant
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : std::max<std::int64_t>(0, tip() - Lag()) + kValidBlocks;
  for (const ledger::MintOrder& order : orders) {
    if (PoisonOf(order.idempotency_key) == Poison::kNotSigned) {
      mints.emplace_back(base::InvalidArgument("nobody signs this"));
    } else if (faults_.Strikes(Fault::kSignError)) {
      mints.emplace_back(base::Unavailable("the signer is away"));
    } else {
      const Mint& mint = Make(order, expiry);
      mints.emplace_back(ledger::SignedMint{mint.bytes, mint.signature, expiry});
    }
  }
  trace_.Note("  chain: signed {} orders, void after {}", mints.size(),
              kind_ == Kind::kInstant ? -1 : expiry);
  if (meanwhile) meanwhile();
  return mints;
}

std::vector<absl::StatusOr<Receipt>> FakeChain::Submit(std::span<const ledger::SignedMint> mints) {
  if (meanwhile) meanwhile();
  std::vector<absl::StatusOr<Receipt>> receipts;
  if (calls_without_funds_ > 0) {
    --calls_without_funds_;
  } else if (faults_.Strikes(Fault::kNoFunds)) {
    calls_without_funds_ = static_cast<int>(random_.NextBelow(4)) + 1;
  }
  if (faults_.is_calm()) calls_without_funds_ = 0;
  for (const ledger::SignedMint& mint : mints) {
    receipts.push_back(SubmitOne(mint));
    trace_.Note("  chain: sent {}: {}", mint.signature,
                receipts.back().ok() ? std::to_string(static_cast<int>(receipts.back()->verdict))
                                     : absl::StatusCodeToString(receipts.back().status().code()));
  }
  if (meanwhile) meanwhile();
  return receipts;
}

absl::StatusOr<Receipt> FakeChain::SubmitOne(const ledger::SignedMint& sent) {
  const auto known = signed_.find(sent.bytes);
  WATTMINT_ASSERT(known != signed_.end(), "bytes that nobody signed");
  Mint& mint = known->second;
  if (mint.sent_before_restart >= 0 && mint.sent_before_restart < restarts_) {
    coverage_.Saw(Rare::kSameBytesAfterRestart);
  }
  if (calls_without_funds_ > 0) return base::ResourceExhausted("the mint authority cannot pay");
  const Poison poison = PoisonOf(mint.order.idempotency_key);
  if (poison == Poison::kRefusedForGood) return base::InvalidArgument("this is never taken");
  const bool is_late = poison == Poison::kRefusedOnceTaken;
  if (poison == Poison::kRefusedEachTime || (is_late && mint.sent_before_restart >= 0)) {
    return base::Aborted("not this time");
  }
  if (faults_.Strikes(Fault::kRefusal)) return base::Aborted("too busy");
  if (auto receipt = ReceiptOfFinal(mint)) return *std::move(receipt);
  if (faults_.Strikes(Fault::kLostRequest)) return base::Unavailable("the line is cut");
  Take(mint, is_late ? kLateBlocks : 0);
  if (faults_.Strikes(Fault::kLostAnswer) || is_late) {
    mint.answer_lost = true;
    return base::DeadlineExceeded("no answer in time");
  }
  if (kind_ == Kind::kInstant) {
    coverage_.Saw(Rare::kMintedAtOnce);
    return Receipt{Verdict::kMinted, mint.order.tokens, mint.signature, tip(), tip() % 3};
  }
  return Receipt{Verdict::kAccepted, mint.order.tokens, mint.signature, 0, 0};
}

std::optional<Receipt> FakeChain::ReceiptOfFinal(const Mint& mint) const {
  const auto found = FindFinal(mint.order.idempotency_key);
  if (!found) return std::nullopt;
  // Where keys guard nothing, only the very same bytes are known again.
  if (kind_ == Kind::kUnguarded) {
    const auto& places = heights_.at(mint.order.idempotency_key);
    const auto place = places.find(&mint);
    if (place == places.end() || place->second > final_) return std::nullopt;
  }
  if (found->tokens == mint.order.tokens && found->wallet_address == mint.order.wallet_address) {
    coverage_.Saw(Rare::kAlreadyMinted);
    return Receipt{Verdict::kAlreadyMinted, found->tokens, found->signature, found->height, 0};
  }
  return Receipt{Verdict::kConflict, found->tokens, found->signature, found->height, 0};
}

void FakeChain::Take(Mint& mint, std::int64_t delay_min) {
  if (mint.sent_before_restart < 0) mint.sent_before_restart = restarts_;
  const int copies = faults_.Strikes(Fault::kDuplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    std::int64_t delay = delay_min;
    if (kind_ != Kind::kInstant && (i > 0 || faults_.Strikes(Fault::kDelay))) {
      delay = static_cast<std::int64_t>(random_.NextBelow(kValidBlocks + 4));
    }
    waiting_.push_back({&mint, tip() + 1 + delay});
  }
  if (kind_ == Kind::kInstant) Grow(1);
}

absl::StatusOr<ledger::Findings> FakeChain::LookUp(std::span<const std::string> keys) {
  if (meanwhile) meanwhile();
  if (faults_.Strikes(Fault::kLookUpError)) return base::Unavailable("nobody answers");
  ledger::Findings findings;
  findings.final_height = std::max<std::int64_t>(0, final_ - Lag());
  if (IsPlanted("final_height_of_the_tip")) findings.final_height = tip();
  const std::int64_t seen = IsPlanted("looks_up_what_is_not_final") ? tip() : findings.final_height;
  for (const std::string& key : keys) {
    findings.mints.push_back(Find(key, seen));
    const auto& mint = findings.mints.back();
    const bool was_lost = mint && std::ranges::any_of(heights_.at(key), [](const auto& entry) {
                            return entry.first->answer_lost;
                          });
    if (was_lost) coverage_.Saw(Rare::kFoundByLookUpAfterLostAnswer);
  }
  trace_.Note("  chain: looked up {} keys at {}, found {}", keys.size(), findings.final_height,
              std::ranges::count_if(findings.mints, [](const auto& mint) { return !!mint; }));
  if (meanwhile) meanwhile();
  return findings;
}

std::optional<ledger::LedgerMint> FakeChain::Find(const std::string& key,
                                                  std::int64_t height_max) const {
  const auto known = heights_.find(key);
  if (known == heights_.end()) return std::nullopt;
  std::optional<ledger::LedgerMint> found;
  for (const auto& [mint, height] : known->second) {
    if (height > height_max || (found && found->height <= height)) continue;
    found = ledger::LedgerMint{key, mint->order.wallet_address, mint->order.tokens, mint->signature,
                               height};
  }
  return found;
}

std::optional<ledger::LedgerMint> FakeChain::FindFinal(const std::string& key) const {
  return Find(key, final_);
}

FakeChain::Held FakeChain::HeldFor(const std::string& key) const {
  Held held;
  const auto known = heights_.find(key);
  if (known == heights_.end()) return held;
  for (const auto& [mint, height] : known->second) {
    held.tokens += mint->order.tokens.base_units();
    ++held.mints;
  }
  return held;
}

FakeChain::Poison FakeChain::PoisonOf(const std::string& key) const {
  const auto known = poisons_.find(key);
  return known == poisons_.end() ? Poison::kNone : known->second;
}

void FakeChain::MintForeign(const std::string& key, const std::string& wallet,
                            std::int64_t tokens) {
  foreign_.insert(key);
  Mint& mint = Make({key, wallet, domain::TokenAmount::FromBaseUnits(tokens)},
                    std::numeric_limits<std::int64_t>::max());
  waiting_.push_back({&mint, 0});
  if (kind_ == Kind::kInstant) Grow(1);
}

void FakeChain::Grow(int blocks) {
  for (int i = 0; i < blocks; ++i) {
    if (kind_ != Kind::kInstant && faults_.Strikes(Fault::kFork)) RollBack();
    std::vector<Mint*> block;
    std::deque<Waiting> still_waiting;
    for (const Waiting& waiting : std::exchange(waiting_, {})) {
      if (!Include(waiting, block)) still_waiting.push_back(waiting);
    }
    waiting_.insert(waiting_.begin(), still_waiting.begin(), still_waiting.end());
    blocks_.push_back(std::move(block));
    final_ = kind_ == Kind::kInstant ? tip() : std::max(final_, tip() - kFinalDepth);
  }
}

// Whether it waits no longer.
bool FakeChain::Include(const Waiting& waiting, std::vector<Mint*>& block) {
  Mint& mint = *waiting.mint;
  const std::int64_t height = tip() + 1;
  auto& places = heights_[mint.order.idempotency_key];
  if (places.contains(&mint)) return true;
  // A fork may lead back below the expiry, as long as that is not final.
  if (height > mint.expiry_height) {
    if (!std::exchange(mint.counted_void, true)) coverage_.Saw(Rare::kArrivedVoid);
    return final_ >= mint.expiry_height;
  }
  if (kind_ != Kind::kUnguarded && !places.empty()) return final_ >= places.begin()->second;
  if (height < waiting.not_before && !faults_.is_calm()) return false;
  if (kind_ != Kind::kInstant && faults_.Strikes(Fault::kEviction)) return true;
  if (mint.expiry_height - height <= 2) coverage_.Saw(Rare::kMintedJustBeforeExpiry);
  places[&mint] = height;
  changed_.insert(mint.order.idempotency_key);
  block.push_back(&mint);
  trace_.Note("  chain: {} is in block {}", mint.signature, height);
  return true;
}

void FakeChain::RollBack() {
  const std::int64_t depth = tip() - final_;
  if (depth <= 0) return;
  const auto count =
      static_cast<std::int64_t>(random_.NextBelow(static_cast<std::uint64_t>(depth)));
  for (std::int64_t i = 0; i <= count; ++i) {
    for (Mint* mint : blocks_.back()) {
      trace_.Note("  chain: {} is rolled back", mint->signature);
      coverage_.Saw(Rare::kRolledBack);
      heights_.at(mint->order.idempotency_key).erase(mint);
      changed_.insert(mint->order.idempotency_key);
      if (random_.NextBelow(2) == 0) {
        waiting_.push_back({mint, 0});
      } else {
        coverage_.Saw(Rare::kRolledBackForGood);
      }
    }
    blocks_.pop_back();
  }
}

absl::StatusOr<ledger::Supply> FakeChain::GetSupply() {
  std::int64_t tokens = 0;
  ledger::Supply supply;
  for (std::int64_t height = 1; height <= final_; ++height) {
    for (const Mint* mint : blocks_[static_cast<std::size_t>(height - 1)]) {
      tokens += mint->order.tokens.base_units();
      ++supply.mints;
    }
  }
  supply.tokens = domain::TokenAmount::FromBaseUnits(tokens);
  return supply;
}

absl::StatusOr<std::vector<ledger::LedgerMint>> FakeChain::ListMints(std::int64_t from,
                                                                     std::size_t count_max) {
  std::vector<ledger::LedgerMint> mints;
  for (std::int64_t height = std::max<std::int64_t>(from, 1); height <= final_; ++height) {
    for (const Mint* mint : blocks_[static_cast<std::size_t>(height - 1)]) {
      if (mints.size() == count_max) return mints;
      mints.push_back({mint->order.idempotency_key, mint->order.wallet_address, mint->order.tokens,
                       mint->signature, height});
    }
  }
  return mints;
}

absl::StatusOr<domain::TokenAmount> FakeChain::GetBalance(std::string_view wallet_address) {
  std::int64_t tokens = 0;
  const auto mints = ListMints(1, std::numeric_limits<std::size_t>::max());
  for (const auto& mint : *mints) {
    if (mint.wallet_address == wallet_address) tokens += mint.tokens.base_units();
  }
  return domain::TokenAmount::FromBaseUnits(tokens);
}

}  // namespace wattmint::simulation
