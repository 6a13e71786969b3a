// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/coverage.h"

namespace wattmint::simulation {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kRareStates> kNames{
    "signed anew after expiry",
    "rolled back",
    "rolled back for good",
    "same bytes sent after a restart",
    "found by look-up after a lost answer",
    "arrived when void",
    "minted just before expiry",
    "claim left behind",
    "lease taken over",
    "minter lost a race",
    "parked",
    "retried and minted",
    "attempts used up",
    "refused for good",
    "paused without funds",
    "conflict",
    "quarantined",
    "minted at once",
    "already minted",
    "power cut",
    "power cut in a commit",
    "crash in a call",
    "crash in a write",
    "unknown outcome found stored",
    "unknown outcome found absent",
    "database opened again",
    "database not opened again",
    "disk full",
    "repeated reading",
    "repeated with other energy",
    "rejected reading",
    "capped day",
    "capped reading",
    "above the cap of a whole day",
    "ratio other than 1",
    "below one unit",
    "no wallet",
    "former owner paid",
    "wallet changed",
    "transferred",
    "minted by hand",
    "clock went back",
};

}  // namespace

std::string_view Name(Rare rare) { return kNames[static_cast<std::size_t>(rare)]; }

}  // namespace wattmint::simulation
