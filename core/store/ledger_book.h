// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"
#include "core/domain/token_amount.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::store {

using Hash = std::array<std::uint8_t, 32>;

// One mint on the embedded ledger.
struct LedgerEntry {
  std::int64_t height = 0;  // from 1, without gaps
  std::string idempotency_key;
  std::string wallet_address;
  domain::TokenAmount tokens;
  std::string signed_bytes;  // what the ledger's key signed (core/ledger/mint_text.h)
  std::array<std::uint8_t, 64> signature{};
  domain::Time time{};
  Hash previous_hash{};  // of the entry before; zeros for the first
  Hash hash{};
};

struct LedgerHead {
  std::int64_t height = 0;  // 0: empty
  Hash hash{};
  domain::TokenAmount supply;
};

// The file of the embedded ledger: an append-only book and the balances that follow from it.
// Threads: any. Errors: the environment's.
class LedgerBook {
 public:
  virtual ~LedgerBook() = default;
  // Identity of the ledger; a UUID.
  virtual std::string ledger_id() const = 0;
  virtual absl::StatusOr<LedgerHead> GetHead() = 0;
  virtual absl::StatusOr<std::optional<LedgerEntry>> Find(std::string_view idempotency_key) = 0;
  // Appends all of them and raises the balances, or nothing; durable on return. A failure may have
  // happened all the same. kAlreadyExists when a key is there already. REQUIRES: heights and hashes
  // continue the head.
  virtual absl::Status Append(std::span<const LedgerEntry> entries) = 0;
  // Entries from `from` on (included), by height.
  virtual absl::StatusOr<std::vector<LedgerEntry>> Read(std::int64_t from,
                                                        std::size_t count_max) = 0;
  // Zero for a wallet that never had any.
  virtual absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) = 0;
  // What all wallets hold together.
  virtual absl::StatusOr<domain::TokenAmount> SumBalances() = 0;
};

}  // namespace wattmint::store
