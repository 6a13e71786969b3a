// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/planted.h"

namespace wattmint::simulation {
namespace {

std::string& Name() {
  static std::string name;
  return name;
}

}  // namespace

const std::string& Planted() { return Name(); }

bool IsPlanted(std::string_view name) { return Name() == name; }

void Plant(std::string_view name) { Name() = name; }

}  // namespace wattmint::simulation
