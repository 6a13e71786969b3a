// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/ledger/ledger.h"
#include "core/store/ledger_book.h"

#include <array>
#include <functional>
#include <memory>

namespace wattmint::ledger {

// The ledger in a file of its own with a key of its own: mints unique by idempotency key, signed
// with Ed25519 and chained by hash. Its signed bytes never expire, and a mint is final when
// Submit() returns. Threads: any. Lifetime: `book` and `clock` must outlive it.
class EmbeddedLedger final : public Ledger {
 public:
  using Seed = std::array<std::uint8_t, 32>;  // of the Ed25519 key (RFC 8032)

  EmbeddedLedger(store::LedgerBook& book, base::Clock& clock, const Seed& seed);
  ~EmbeddedLedger() override;

  std::string_view name() const override { return "embedded"; }
  std::string public_key() const override;
  absl::StatusOr<std::vector<SignedMint>> Sign(std::span<const MintOrder> orders) override;
  std::vector<absl::StatusOr<Receipt>> Submit(std::span<const SignedMint> mints) override;
  absl::StatusOr<Supply> GetSupply() override;
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) override;

 private:
  struct Parsed;
  absl::StatusOr<Parsed> Check(const SignedMint& mint) const;
  absl::StatusOr<Receipt> Answer(const Parsed& mint, const store::LedgerEntry& entry,
                                 Verdict same) const;

  store::LedgerBook& book_;
  base::Clock& clock_;
  struct KeyPair;
  std::unique_ptr<KeyPair> key_;
  base::Mutex mutex_;  // one Submit() at a time, since each continues the chain
};

// Walks a book from its first entry: heights, hash chain, signatures, balances' sum. Calls
// `progress` now and then with the height reached. kDataLoss names the first entry that is wrong.
absl::StatusOr<Supply> VerifyBook(store::LedgerBook& book, std::string_view public_key,
                                  const std::function<void(std::int64_t)>& progress);

}  // namespace wattmint::ledger
