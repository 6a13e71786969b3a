// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/ids.h"
#include "core/domain/mint_state.h"
#include "core/domain/time.h"
#include "core/domain/token_amount.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::domain {

// The work of minting one reading. A task has the row number of its reading as its task_id, so that
// there can never be two for one reading.
struct MintTask {
  std::int64_t task_id = 0;
  ReadingId reading_id;
  std::string meter_id;
  std::string user_id;
  Energy energy;
  Time interval_start{};
  MintState state = MintState::kPending;

  // From SIGNED on.
  TokenAmount tokens;
  std::string wallet_address;
  std::string signed_bytes;           // what was or will be sent, byte for byte
  std::string transaction_signature;  // base58
  std::int64_t expiry_height = 0;     // the signed bytes are void after this height of the ledger
  std::string batch_id;

  std::int32_t attempts = 0;  // signings, and failures that certainly minted nothing
  std::int32_t sends = 0;     // how often the signed bytes were sent without a final answer
  // PENDING, SIGNED and SUBMITTED: nothing to do before this time; CLAIMED: the end of the lease.
  Time next_attempt{};
  bool by_hand = false;  // PENDING only: also while automatic minting is off
  std::string reason;    // a code, a colon and a sentence: why it is where it is
  Time create_time{};
  Time update_time{};
};

// Codes that `reason` begins with and that somebody asks for; protos/README.md has them all.
namespace mint_reason {
inline constexpr std::string_view kQuarantineJump = "QUARANTINE_JUMP";
inline constexpr std::string_view kQuarantineSentinel = "QUARANTINE_SENTINEL";
inline constexpr std::string_view kBelowOneUnit = "BELOW_ONE_UNIT";
inline constexpr std::string_view kDiscarded = "DISCARDED";
inline constexpr std::string_view kWithdrawn = "WITHDRAWN";
inline constexpr std::string_view kCorrected = "CORRECTED";
}  // namespace mint_reason

// Whether a reason begins with this code.
bool HasCode(std::string_view reason, std::string_view code);

// The key that makes a mint happen once on the ledger. Source: chosen; a reading id is unique for
// ever.
std::string IdempotencyKey(const ReadingId& reading_id);

}  // namespace wattmint::domain
