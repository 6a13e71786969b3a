// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/simulation.h"

#include <cstdint>
#include <string>
#include <vector>

namespace wattmint::simulation {

// What came of many seeds.
struct Report {
  std::int64_t seeds = 0;
  std::int64_t events = 0;
  std::int64_t mints = 0;
  std::uint64_t trace = 0;              // of all seeds
  std::vector<std::string> violations;  // each with the command that replays it
  Coverage coverage;
};

// Runs `count` seeds from `first` on; ends early after `violations_max`.
Report RunSeeds(std::uint64_t first, std::int64_t count, const Settings& settings,
                std::size_t violations_max);

// The program: without arguments of its own it runs the tests. --seed N replays one seed, with
// --trace line by line; --seeds N runs so many, from --first N on; --only and --without name a
// fault each, and may be repeated; --bug names a planted bug, where they are compiled in.
int Main(int argc, char** argv);

}  // namespace wattmint::simulation
