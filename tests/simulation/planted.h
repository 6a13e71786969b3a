// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wattmint::simulation {

// Whether the bug of this name is in force. Mutated copies of production files ask this
// (plant_bugs.py), and the fake chain where an adapter could go wrong.
bool IsPlanted(std::string_view name);
const std::string& Planted();  // empty: none

// Puts one bug in force; empty: none. Not while a simulation runs.
void Plant(std::string_view name);

}  // namespace wattmint::simulation
