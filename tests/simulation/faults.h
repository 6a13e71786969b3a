// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wattmint::simulation {

// What can go wrong. Each has a name for the command line.
enum class Fault : std::uint8_t {
  kLostRequest,   // a mint is not taken, and nobody knows
  kLostAnswer,    // a mint is taken, and nobody knows
  kDelay,         // a mint reaches a block late, perhaps just before it expires
  kDuplicate,     // a mint is delivered twice
  kEviction,      // the ledger forgets a mint that it has taken
  kFork,          // blocks that are not final are rolled back
  kStaleView,     // the ledger answers from an older height
  kLookUpError,   // the ledger cannot be asked
  kRefusal,       // the ledger takes a mint certainly not, this time
  kNoFunds,       // the ledger cannot pay, for a while
  kSignError,     // the signer is away
  kSlowCall,      // time passes while the ledger is called, perhaps more than a lease
  kForeignMint,   // somebody else uses the key of a reading (guarded ledgers only)
  kPoison,        // the ledger never takes the mints of some readings
  kCrash,         // the process ends while it calls the ledger, or between two steps
  kPowerCut,      // the power goes, in the middle of any write
  kIoError,       // reads and writes fail
  kSyncError,     // syncs fail
  kDiskFull,      // the disk is full, for a while
  kSecondMinter,  // another minter works on the same tasks at the same time
  kClockJump,     // somebody sets the wall clock
};
inline constexpr std::size_t kFaults = 21;

std::string_view Name(Fault fault);
std::optional<Fault> ParseFault(std::string_view name);

// Which faults one seed has, and how often each strikes: every seed draws its own mix, so that some
// runs suffer from one fault alone and some from all together. Threads: one at a time.
class FaultMix {
 public:
  // `allowed`: bit n for Fault n.
  FaultMix(base::RandomSource& random, std::uint32_t allowed);

  bool Has(Fault fault) const { return PermilleOf(fault) > 0; }
  bool HasEver(Fault fault) const { return permille_[static_cast<std::size_t>(fault)] > 0; }
  // Draws whether it happens now.
  bool Strikes(Fault fault);
  int PermilleOf(Fault fault) const {
    return calm_ ? 0 : permille_[static_cast<std::size_t>(fault)];
  }
  void Remove(Fault fault) { permille_[static_cast<std::size_t>(fault)] = 0; }
  // From now on nothing goes wrong.
  void Calm() { calm_ = true; }
  bool is_calm() const { return calm_; }

 private:
  base::RandomSource& random_;
  std::array<int, kFaults> permille_{};
  bool calm_ = false;
};

}  // namespace wattmint::simulation
