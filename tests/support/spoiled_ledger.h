// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"
#include "core/ledger/mint_text.h"

#include <functional>
#include <string>
#include <vector>

namespace wattmint::test {

// Stands between the minter and the real ledger, and may spoil what passes.
class Spoiler final : public ledger::Ledger {
 public:
  explicit Spoiler(ledger::Ledger& real) : real_(real) {}
  std::string_view name() const override { return "spoiled"; }
  std::string public_key() const override { return real_.public_key(); }
  std::vector<absl::StatusOr<ledger::SignedMint>> Sign(
      std::span<const ledger::MintOrder> orders) override {
    ++signs;
    auto mints = real_.Sign(orders);
    for (std::size_t i = 0; change_signed && i < mints.size(); ++i) {
      change_signed(orders[i], mints[i]);
    }
    return mints;
  }
  std::vector<absl::StatusOr<ledger::Receipt>> Submit(
      std::span<const ledger::SignedMint> mints) override {
    for (const ledger::SignedMint& mint : mints) sent.push_back(mint.bytes);
    std::vector<absl::StatusOr<ledger::Receipt>> receipts;
    if (loses_requests) {
      receipts.assign(mints.size(), absl::UnavailableError("the line is cut"));
      for (auto& receipt : receipts) {
        if (change_receipt_when_lost) change_receipt_when_lost(receipt);
      }
      return receipts;
    }
    if (swallows) {
      for (const ledger::SignedMint& mint : mints) {
        receipts.push_back(
            ledger::Receipt{ledger::Verdict::kMinted, AmountIn(mint.bytes), mint.signature, 1, 0});
      }
      return receipts;
    }
    receipts = real_.Submit(mints);
    if (loses_answers) {
      receipts.assign(mints.size(), absl::DeadlineExceededError("no answer in time"));
    }
    if (change) {
      for (auto& receipt : receipts) change(receipt);
    }
    return receipts;
  }
  absl::StatusOr<ledger::Supply> GetSupply() override { return real_.GetSupply(); }
  absl::StatusOr<ledger::Findings> LookUp(std::span<const std::string> keys) override {
    ++look_ups;
    if (look_up) return look_up(keys);
    return real_.LookUp(keys);
  }
  absl::StatusOr<std::vector<ledger::LedgerMint>> ListMints(std::int64_t from,
                                                            std::size_t count_max) override {
    return real_.ListMints(from, count_max);
  }
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet) override {
    return real_.GetBalance(wallet);
  }

  bool loses_requests = false;
  bool loses_answers = false;
  bool swallows = false;  // says that it minted, and does not
  std::function<void(absl::StatusOr<ledger::Receipt>&)> change;
  std::function<void(absl::StatusOr<ledger::Receipt>&)> change_receipt_when_lost;
  std::function<void(const ledger::MintOrder&, absl::StatusOr<ledger::SignedMint>&)> change_signed;
  std::function<absl::StatusOr<ledger::Findings>(std::span<const std::string>)> look_up;
  std::vector<std::string> sent;
  int signs = 0;
  int look_ups = 0;

 private:
  static domain::TokenAmount AmountIn(const std::string& mint_text) {
    return ledger::MintText::Parse(mint_text)->order.tokens;
  }

  ledger::Ledger& real_;
};

}  // namespace wattmint::test
