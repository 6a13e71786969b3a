// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/ledger/book_reader.h"
#include "core/ledger/ed25519.h"
#include "core/ledger/ledger.h"
#include "core/ledger/mint_text.h"
#include "core/ledger/signer.h"
#include "core/store/ledger_book.h"

#include <string>
#include <vector>

namespace wattmint::ledger {

// The ledger in a file of its own with a key of its own, which a signer holds: mints unique by
// idempotency key, signed with Ed25519 and chained by hash. Its signed bytes (MintText) never
// expire, and a mint is final when Submit() returns. A signature counts only if it is right, so a
// signer that goes wrong delays mints and spoils nothing.
//
// Threads: any. Lifetime: what it is given must outlive it. Errors of Sign(): the signer's.
class EmbeddedLedger final : public Ledger {
 public:
  EmbeddedLedger(store::LedgerBook& book, base::Clock& clock, Signer& signer);

  std::string_view name() const override { return "embedded"; }
  std::string public_key() const override;
  std::vector<absl::StatusOr<SignedMint>> Sign(std::span<const MintOrder> orders) override;
  std::vector<absl::StatusOr<Receipt>> Submit(std::span<const SignedMint> mints) override;
  absl::StatusOr<Supply> GetSupply() override { return reader_.GetSupply(); }
  absl::StatusOr<Findings> LookUp(std::span<const std::string> idempotency_keys) override {
    return reader_.LookUp(idempotency_keys);
  }
  absl::StatusOr<std::vector<LedgerMint>> ListMints(std::int64_t from,
                                                    std::size_t count_max) override {
    return reader_.ListMints(from, count_max);
  }
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) override {
    return reader_.GetBalance(wallet_address);
  }

 private:
  struct Checked {
    MintText text;
    Ed25519Signature signature;
  };
  absl::StatusOr<Checked> Check(const SignedMint& mint) const;
  // The mint that the signer's answer makes of the text.
  absl::StatusOr<SignedMint> Signed(std::string text,
                                    const absl::StatusOr<Ed25519Signature>& answer) const;
  // Answers what is decided already, and adds an entry for what is to be minted.
  absl::StatusOr<Receipt> Decide(const SignedMint& mint, const store::LedgerHead& head,
                                 std::vector<store::LedgerEntry>& fresh) const;

  store::LedgerBook& book_;
  BookReader reader_;
  base::Clock& clock_;
  Signer& signer_;
  const std::string ledger_id_;
  base::Mutex submit_mutex_;  // one Submit() at a time, since each continues the chain
};

// Whether a book goes on with this key: its newest entry was signed by it, or it has none. Errors:
// kFailedPrecondition if another key signed it; those of the book.
absl::Status CheckKey(store::LedgerBook& book, const Ed25519PublicKey& key);

}  // namespace wattmint::ledger
