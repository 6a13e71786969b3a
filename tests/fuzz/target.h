// SPDX-License-Identifier: Apache-2.0
#pragma once

// What each target defines, for libFuzzer and for replay.cc.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Runs one input. Asserts what must hold; answers 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace wattmint::fuzz {

// What fuzzing begins with: at least one input of each kind that the code tells apart.
std::vector<std::string> Seeds();

}  // namespace wattmint::fuzz
