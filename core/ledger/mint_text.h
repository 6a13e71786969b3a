// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/token_amount.h"
#include "core/ledger/ledger.h"
#include "core/store/ledger_book.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace wattmint::ledger {

// The bytes that the embedded ledger signs for one mint. ASCII, five lines, each ended by a
// newline:
//   wattmint mint 1
//   ledger <UUID of the ledger>
//   key <idempotency key>
//   wallet <base58 of 32 bytes>
//   base_units <decimal, above zero>
struct MintText {
  std::string ledger_id;
  MintOrder order;

  std::string ToString() const;
  // kInvalidArgument for anything that ToString() would not have written.
  static absl::StatusOr<MintText> Parse(std::string_view text);
};

// Hash of an entry, which chains it to the one before. SHA-256 of: previous_hash (32 bytes), height
// (8 bytes big-endian), time in microseconds (8 bytes big-endian), signature (64 bytes),
// signed_bytes.
store::Hash HashEntry(const store::LedgerEntry& entry);

}  // namespace wattmint::ledger
