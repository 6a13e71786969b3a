// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"
#include "core/store/ledger_book.h"

namespace wattmint::ledger {

// A book of the embedded ledger, read without its key. Threads: any. Lifetime: `book` must outlive
// it.
class BookReader final : public LedgerReader {
 public:
  explicit BookReader(store::LedgerBook& book) : book_(book) {}

  absl::StatusOr<Supply> GetSupply() override;
  absl::StatusOr<Findings> LookUp(std::span<const std::string> idempotency_keys) override;
  absl::StatusOr<std::vector<LedgerMint>> ListMints(std::int64_t from,
                                                    std::size_t count_max) override;
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) override;

 private:
  store::LedgerBook& book_;
};

}  // namespace wattmint::ledger
