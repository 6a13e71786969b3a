// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"
#include "core/domain/token_amount.h"

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::ledger {

// What a signer agrees to sign: mints in their one and only form (core/ledger/mint_text.h), within
// limits of its own. Thread-compatible.
//
// The limit of a day (UTC) outlives a restart: what is signed is first set aside durably, in steps
// of a hundredth of the limit. So after a crash up to one such step of that day may be lost, and
// never more is signed than the limit says. A text that comes again on its day counts once, unless
// the signer was started anew in between.
class SigningPolicy {
 public:
  struct Limits {
    std::string ledger_id;  // empty: any
    std::optional<domain::TokenAmount> per_mint;
    std::optional<domain::TokenAmount> per_day;
  };
  struct Day {
    std::chrono::sys_days date{};
    domain::TokenAmount set_aside;  // at least what was signed on it
  };
  // Makes a day durable, in place of the one before.
  using Keep = std::function<absl::Status(const Day&)>;

  // `day` is what was kept last.
  SigningPolicy(Limits limits, Day day, Keep keep);

  // Whether to sign this. Errors: kInvalidArgument, never; kUnavailable, not today, or the day
  // cannot be kept.
  absl::Status Admit(std::string_view text, domain::Time now);

 private:
  using Digest = std::array<std::uint8_t, 16>;

  absl::Status Count(std::string_view text, domain::TokenAmount tokens, domain::Time now);

  const Limits limits_;
  const Keep keep_;
  Day day_;
  std::int64_t signed_today_;  // base units
  absl::flat_hash_set<Digest> texts_today_;
};

}  // namespace wattmint::ledger
