// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/book_verification.h"

#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/ledger/ed25519.h"
#include "core/ledger/mint_text.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <string>

namespace wattmint::ledger {
namespace {

using domain::TokenAmount;

constexpr std::int64_t kPageMax = 4'096;  // entries in memory at once

// Whether the entry says the same as the bytes that were signed.
bool AgreesWithText(const store::LedgerEntry& entry, std::string_view ledger_id) {
  const auto text = MintText::Parse(entry.signed_bytes);
  return text.ok() && text->ledger_id == ledger_id &&
         text->order.idempotency_key == entry.idempotency_key &&
         text->order.wallet_address == entry.wallet_address && text->order.tokens == entry.tokens;
}

class Walk {
 public:
  Walk(store::LedgerBook& book, const Ed25519PublicKey& key)
      : book_(book), key_(key), ledger_id_(book.ledger_id()) {}

  absl::StatusOr<Supply> Run(const std::function<void(std::int64_t)>& progress) {
    WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book_.GetHead());
    while (seen_.mints < head.height) {
      // No further than the head, since a core may append meanwhile.
      const auto count = static_cast<std::size_t>(std::min(kPageMax, head.height - seen_.mints));
      WATTMINT_ASSIGN_OR_RETURN(const auto entries, book_.Read(seen_.mints + 1, count));
      if (entries.empty()) return base::DataLoss("ledger entry {} is missing", seen_.mints + 1);
      for (const store::LedgerEntry& entry : entries) {
        WATTMINT_RETURN_IF_ERROR(CheckEntry(entry));
      }
      progress(seen_.mints);
    }
    if (seen_.tokens != head.supply || previous_ != head.hash) {
      return base::DataLoss("the ledger's head does not follow from its entries");
    }
    WATTMINT_RETURN_IF_ERROR(CheckBalances(head));
    return seen_;
  }

 private:
  absl::Status CheckEntry(const store::LedgerEntry& entry) {
    const std::int64_t height = seen_.mints + 1;
    const auto sum = seen_.tokens.CheckedAdd(entry.tokens);
    const std::string_view wrong =
        entry.height != height                                      ? "is missing"
        : entry.previous_hash != previous_                          ? "does not continue the chain"
        : entry.hash != HashEntry(entry)                            ? "does not match its hash"
        : !AgreesWithText(entry, ledger_id_)                        ? "differs from what was signed"
        : !VerifyEd25519(key_, entry.signed_bytes, entry.signature) ? "has a wrong signature"
        : !keys_.insert(entry.idempotency_key).second               ? "mints a key again"
        : !sum                                                      ? "overflows the supply"
                                                                    : "";
    if (!wrong.empty()) return base::DataLoss("ledger entry {} {}", height, wrong);
    previous_ = entry.hash;
    seen_ = {*sum, height};
    // No wallet has more than the supply, which does not overflow.
    TokenAmount& balance = balances_[entry.wallet_address];
    balance = *balance.CheckedAdd(entry.tokens);
    return absl::OkStatus();
  }

  absl::Status CheckBalances(const store::LedgerHead& head) {
    for (const auto& [wallet, expected] : balances_) {
      WATTMINT_ASSIGN_OR_RETURN(const TokenAmount balance, book_.GetBalance(wallet));
      WATTMINT_ASSIGN_OR_RETURN(const bool is_right, IsRight(balance, expected, head));
      if (is_right) continue;
      return base::DataLoss("wallet {} has a balance of {} GRX, but was minted {}", wallet,
                            balance.ToString(), expected.ToString());
    }
    WATTMINT_ASSIGN_OR_RETURN(const TokenAmount all, book_.SumBalances());
    WATTMINT_ASSIGN_OR_RETURN(const bool is_right, IsRight(all, head.supply, head));
    if (is_right) return absl::OkStatus();
    return base::DataLoss("all wallets together have {} GRX, but {} were minted", all.ToString(),
                          head.supply.ToString());
  }

  // A balance may be above what was expected at `head` if there are later entries.
  absl::StatusOr<bool> IsRight(TokenAmount balance, TokenAmount expected,
                               const store::LedgerHead& head) {
    if (balance <= expected) return balance == expected;
    WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead now, book_.GetHead());
    return now.height > head.height;
  }

  store::LedgerBook& book_;
  const Ed25519PublicKey key_;
  const std::string ledger_id_;
  absl::flat_hash_set<std::string> keys_;
  absl::flat_hash_map<std::string, TokenAmount> balances_;
  store::Hash previous_{};
  Supply seen_;
};

}  // namespace

absl::StatusOr<Supply> VerifyBook(store::LedgerBook& book, std::string_view public_key,
                                  const std::function<void(std::int64_t)>& progress) {
  WATTMINT_ASSIGN_OR_RETURN(const Ed25519PublicKey key, base::DecodeBase58Array<32>(public_key));
  return Walk(book, key).Run(progress);
}

}  // namespace wattmint::ledger
