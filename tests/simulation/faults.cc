// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/faults.h"

namespace wattmint::simulation {
namespace {

struct Kind {
  std::string_view name;
  int light;  // per mille
  int heavy;
};

// In the order of the enumeration.
constexpr std::array<Kind, kFaults> kKinds{{
    {"lost_request", 50, 500},  {"lost_answer", 50, 500},    {"delay", 200, 800},
    {"duplicate", 100, 600},    {"eviction", 50, 400},       {"fork", 50, 300},
    {"stale_view", 100, 700},   {"look_up_error", 50, 400},  {"refusal", 50, 500},
    {"no_funds", 20, 60},       {"sign_error", 50, 400},     {"slow_call", 50, 300},
    {"foreign_mint", 100, 300}, {"poison", 100, 400},        {"crash", 10, 60},
    {"power_cut", 20, 150},     {"io_error", 1, 4},          {"sync_error", 5, 30},
    {"disk_full", 20, 60},      {"second_minter", 500, 900}, {"clock_jump", 20, 80},
}};

}  // namespace

std::string_view Name(Fault fault) { return kKinds[static_cast<std::size_t>(fault)].name; }

std::optional<Fault> ParseFault(std::string_view name) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (kKinds[i].name == name) return static_cast<Fault>(i);
  }
  return std::nullopt;
}

FaultMix::FaultMix(base::RandomSource& random, std::uint32_t allowed) : random_(random) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    const std::uint64_t drawn = random.NextBelow(4);  // always, so that a switch changes no other
    if ((allowed >> i & 1) == 0) continue;
    if (drawn == 1) permille_[i] = kKinds[i].light;
    if (drawn == 2) permille_[i] = kKinds[i].heavy;
  }
}

bool FaultMix::Strikes(Fault fault) {
  const int permille = PermilleOf(fault);
  return permille > 0 && random_.NextBelow(1'000) < static_cast<std::uint64_t>(permille);
}

}  // namespace wattmint::simulation
