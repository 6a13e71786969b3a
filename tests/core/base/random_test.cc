// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"

#include "core/base/bytes.h"
#include "tests/support/seeded_random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace wattmint::base {
namespace {

TEST(SystemRandomTest, FillsWithBytesThatDiffer) {
  SystemRandom random;
  Bytes first(32);
  Bytes second(32);
  random.Fill(first);
  random.Fill(second);
  EXPECT_NE(first, second);
  EXPECT_NE(first, Bytes(32));
  random.Fill({});
}

TEST(RandomSourceTest, StaysBelowTheBoundAndReachesAllOfIt) {
  test::SeededRandom random(7);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) ++counts[random.NextBelow(6)];
  EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 850);
  EXPECT_EQ(random.NextBelow(1), 0u);
}

// Gives the values that it is told, to reach the one in 2^64 that must be rejected.
class ScriptedRandom final : public RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    std::fill(out.begin(), out.end(), calls_++ == 0 ? uint8_t{0} : uint8_t{0xff});
  }
  int calls() const { return calls_; }

 private:
  int calls_ = 0;
};

TEST(RandomSourceTest, RejectsValuesThatWouldBiasTheRemainder) {
  ScriptedRandom random;
  EXPECT_EQ(random.NextBelow(10), 5u);  // 2^64 - 1 = ...615
  EXPECT_EQ(random.calls(), 2);
}

TEST(SeededRandomTest, RepeatsItselfForTheSameSeed) {
  test::SeededRandom first(1);
  test::SeededRandom same(1);
  test::SeededRandom other(2);
  const uint64_t value = first.NextUint64();
  EXPECT_EQ(same.NextUint64(), value);
  EXPECT_NE(other.NextUint64(), value);
}

TEST(RandomSourceDeathTest, RefusesABoundOfZero) {
  SystemRandom random;
  EXPECT_DEATH(random.NextBelow(0), "bound of zero");
}

}  // namespace
}  // namespace wattmint::base
