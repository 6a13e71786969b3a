// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wattmint::simulation {

// States that a simulation is worth its time for only if it gets there.
enum class Rare : std::uint8_t {
  kSignedAnewAfterExpiry,
  kRolledBack,
  kRolledBackForGood,
  kSameBytesAfterRestart,
  kFoundByLookUpAfterLostAnswer,
  kArrivedVoid,
  kMintedJustBeforeExpiry,
  kClaimLeftBehind,
  kLeaseTakenOver,
  kMinterLostRace,
  kParked,
  kRetriedAndMinted,
  kAttemptsUsedUp,
  kRefusedForGood,
  kPausedWithoutFunds,
  kConflict,
  kQuarantined,
  kMintedAtOnce,
  kAlreadyMinted,
  kPowerCut,
  kPowerCutInCommit,
  kCrash,
  kCrashInWrite,
  kUnknownFoundStored,
  kUnknownFoundAbsent,
  kReopened,
  kReopenFailed,
  kDiskFull,
  kRepeatedReading,
  kRepeatedWithOtherEnergy,
  kRejectedReading,
  kCappedDay,
  kCappedReading,
  kAboveWholeDay,
  kOtherRatio,
  kBelowOneUnit,
  kNoWallet,
  kPaidFormerOwner,
  kWalletChanged,
  kTransferred,
  kMintedByHand,
  kClockWentBack,
};
inline constexpr std::size_t kRareStates = 42;

std::string_view Name(Rare rare);

// How often each was seen.
class Coverage {
 public:
  void Saw(Rare rare) { ++counts_[static_cast<std::size_t>(rare)]; }
  std::int64_t Of(Rare rare) const { return counts_[static_cast<std::size_t>(rare)]; }
  void Add(const Coverage& other) {
    for (std::size_t i = 0; i < kRareStates; ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::int64_t, kRareStates> counts_{};
};

}  // namespace wattmint::simulation
