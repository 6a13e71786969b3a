// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/token_amount.h"

#include "absl/status/statusor.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::ledger {

// What is to be minted. The key makes it happen once: it names one reading for ever.
struct MintOrder {
  std::string idempotency_key;
  std::string wallet_address;
  domain::TokenAmount tokens;
};

// A mint that was signed but perhaps never sent. Sending the same bytes again is always safe.
struct SignedMint {
  std::string bytes;
  std::string signature;           // base58
  std::int64_t expiry_height = 0;  // void after this height; INT64_MAX: never
};

enum class Verdict {
  kMinted,         // by this call, finally
  kAlreadyMinted,  // by an earlier one, finally; `tokens` says how much
  kConflict,       // the key was used for another wallet or amount; nothing was minted now
  kAccepted,       // taken, but not final yet and perhaps never: look it up later
};

struct Receipt {
  Verdict verdict = Verdict::kMinted;
  domain::TokenAmount tokens;  // that the key really minted
  std::string signature;       // of the mint that is on the ledger, base58
  std::int64_t height = 0;     // its position
  std::int64_t fee = 0;        // in the ledger's smallest unit
};

// A mint that is on the ledger, finally.
struct LedgerMint {
  std::string idempotency_key;
  std::string wallet_address;
  domain::TokenAmount tokens;
  std::string signature;    // base58
  std::int64_t height = 0;  // its position, ascending in the order of minting
};

// What is final on the ledger, as it was at one moment.
struct Findings {
  // Everything up to this height is final, and was seen.
  std::int64_t final_height = 0;
  // For each key that was asked for, in order: its mint, or nothing when no mint of that key was
  // final at final_height. Absent and final_height > SignedMint::expiry_height: never will be.
  std::vector<std::optional<LedgerMint>> mints;
};

struct Supply {
  domain::TokenAmount tokens;
  std::int64_t mints = 0;
};

// What is on a ledger, for whoever only looks. Threads: any. Errors: the environment's.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  virtual absl::StatusOr<Supply> GetSupply() = 0;
  virtual absl::StatusOr<Findings> LookUp(std::span<const std::string> idempotency_keys) = 0;
  // Mints at `from` (included) and above, by height.
  virtual absl::StatusOr<std::vector<LedgerMint>> ListMints(std::int64_t from,
                                                            std::size_t count_max) = 0;
  virtual absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) = 0;
};

// Where tokens live. The same protocol for the embedded ledger and for a chain: sign, make the
// bytes durable, send, and send the same bytes again when the outcome is unknown; sign anew only
// when the bytes are void: LookUp() does not find the key at a final height above their expiry.
//
// Threads: any.
// Errors: kInvalidArgument permanent (such as a wallet that is none); kAborted transient, and
// certainly not taken; kResourceExhausted no funds, so that nothing can be minted now; whatever
// else unknown, send the same again.
class Ledger : public LedgerReader {
 public:
  virtual std::string_view name() const = 0;
  virtual std::string public_key() const = 0;  // base58
  // One answer for each, in order, so that one bad order does not stop the others. Nothing is sent:
  // what is not kInvalidArgument may be asked for again.
  virtual std::vector<absl::StatusOr<SignedMint>> Sign(std::span<const MintOrder> orders) = 0;
  // One answer for each, in order.
  virtual std::vector<absl::StatusOr<Receipt>> Submit(std::span<const SignedMint> mints) = 0;
};

}  // namespace wattmint::ledger
