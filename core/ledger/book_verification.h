// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"
#include "core/store/ledger_book.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace wattmint::ledger {

// Walks a book from its first entry to what its head is at the call: heights, hash chain, texts,
// signatures, keys that come twice, the sum, and each wallet's balance. Calls `progress` now and
// then with the height that was reached. May run beside a core that appends to the book; balances
// are then compared only as far as they can be. Errors: kDataLoss names the first entry or wallet
// that is wrong, and how; kInvalidArgument for a key that is none; the environment's.
absl::StatusOr<Supply> VerifyBook(store::LedgerBook& book, std::string_view public_key,
                                  const std::function<void(std::int64_t)>& progress);

}  // namespace wattmint::ledger
