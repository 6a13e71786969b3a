// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace wattmint::base {

// Where random bytes come from, so that simulations can seed them.
class RandomSource {
 public:
  virtual ~RandomSource() = default;

  virtual void Fill(std::span<uint8_t> out) = 0;

  // Uniform over all values.
  uint64_t NextUint64();

  // Uniform over 0 (included) to `bound` (excluded). REQUIRES: bound > 0.
  uint64_t NextBelow(uint64_t bound);
};

// The operating system's generator, fit for keys. Threads: any.
class SystemRandom final : public RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override;
};

}  // namespace wattmint::base
