// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/book_reader.h"

#include "core/base/base58.h"
#include "core/base/status_macros.h"

namespace wattmint::ledger {
namespace {

LedgerMint MintOf(const store::LedgerEntry& entry) {
  return {entry.idempotency_key, entry.wallet_address, entry.tokens,
          base::EncodeBase58(entry.signature), entry.height};
}

}  // namespace

absl::StatusOr<Supply> BookReader::GetSupply() {
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book_.GetHead());
  return Supply{head.supply, head.height};
}

absl::StatusOr<Findings> BookReader::LookUp(std::span<const std::string> idempotency_keys) {
  // The head first: what is found may be newer than it, what is not found is not below it.
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book_.GetHead());
  Findings findings{.final_height = head.height, .mints = {}};
  findings.mints.reserve(idempotency_keys.size());
  for (const std::string& key : idempotency_keys) {
    WATTMINT_ASSIGN_OR_RETURN(const auto entry, book_.Find(key));
    findings.mints.push_back(entry ? std::optional(MintOf(*entry)) : std::nullopt);
  }
  return findings;
}

absl::StatusOr<std::vector<LedgerMint>> BookReader::ListMints(std::int64_t from,
                                                              std::size_t count_max) {
  WATTMINT_ASSIGN_OR_RETURN(const auto entries, book_.Read(from, count_max));
  std::vector<LedgerMint> mints;
  mints.reserve(entries.size());
  for (const store::LedgerEntry& entry : entries) mints.push_back(MintOf(entry));
  return mints;
}

absl::StatusOr<domain::TokenAmount> BookReader::GetBalance(std::string_view wallet_address) {
  return book_.GetBalance(wallet_address);
}

}  // namespace wattmint::ledger
