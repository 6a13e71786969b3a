// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"

#include <functional>
#include <string>
#include <vector>

namespace wattmint::test {

// Stands between the real ledger and whoever asks it: lets something happen before each question,
// may change what the ledger lists, and may be away. Threads: one.
class WatchedLedger final : public ledger::Ledger {
 public:
  explicit WatchedLedger(ledger::Ledger& real) : real_(real) {}

  std::string_view name() const override { return "watched"; }
  std::string public_key() const override { return real_.public_key(); }
  std::vector<absl::StatusOr<ledger::SignedMint>> Sign(
      std::span<const ledger::MintOrder> orders) override {
    return real_.Sign(orders);
  }
  std::vector<absl::StatusOr<ledger::Receipt>> Submit(
      std::span<const ledger::SignedMint> mints) override {
    return real_.Submit(mints);
  }
  absl::StatusOr<ledger::Supply> GetSupply() override {
    before_supply();
    if (!trouble.ok()) return trouble;
    return real_.GetSupply();
  }
  absl::StatusOr<ledger::Findings> LookUp(std::span<const std::string> keys) override {
    before_look_up();
    if (!trouble.ok()) return trouble;
    return real_.LookUp(keys);
  }
  absl::StatusOr<std::vector<ledger::LedgerMint>> ListMints(std::int64_t from,
                                                            std::size_t count_max) override {
    before_list();
    if (!trouble.ok()) return trouble;
    auto mints = real_.ListMints(from, count_max);
    if (mints.ok()) change_list(*mints);
    return mints;
  }
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet) override {
    return real_.GetBalance(wallet);
  }

  absl::Status trouble;  // what the questions are answered with, if it is an error
  std::function<void()> before_supply = [] {};
  std::function<void()> before_look_up = [] {};
  std::function<void()> before_list = [] {};
  std::function<void(std::vector<ledger::LedgerMint>&)> change_list = [](auto&) {};

 private:
  ledger::Ledger& real_;
};

}  // namespace wattmint::test
