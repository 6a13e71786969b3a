// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"

#include <cstdint>
#include <random>

namespace wattmint::test {

// The same bytes for the same seed, on every machine. Thread-compatible.
class SeededRandom final : public base::RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : generator_(seed) {}

  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(generator_());
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace wattmint::test
