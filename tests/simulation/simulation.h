// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/coverage.h"
#include "tests/simulation/faults.h"

#include <cstdint>
#include <string>

namespace wattmint::simulation {

struct Settings {
  std::uint32_t allowed_faults = 0xffff'ffff;  // bit n for Fault n
  bool prints = false;                         // the trace
};

struct Outcome {
  std::string violation;  // empty: none
  std::uint64_t trace = 0;
  Coverage coverage;
  std::int64_t events = 0;
  std::int64_t mints = 0;
};

// Runs the simulation of one seed from the first reading to the last token: a time of trouble, then
// a calm in which everything must be finished. Threads: one at a time.
Outcome Simulate(std::uint64_t seed, const Settings& settings);

}  // namespace wattmint::simulation
