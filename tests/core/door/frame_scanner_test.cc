// SPDX-License-Identifier: Apache-2.0
#include "core/door/frame_scanner.h"

#include "tests/core/door/frames.h"
#include "tests/support/seeded_random.h"

#include <gtest/gtest.h>

#include <vector>

namespace wattmint::door {
namespace {

TEST(FrameScannerTest, FindsEveryHeaderHoweverTheBytesAreSplit) {
  test::SeededRandom random(20261126);
  const std::vector<FrameShape> shapes = {{.flags = 5, .stream = 1, .payload_bytes = 17},
                                          {.flags = 0, .stream = 0, .payload_bytes = 0},
                                          {.flags = 255, .stream = 0x7fff'ffff, .payload_bytes = 8},
                                          {.flags = 1, .stream = 3, .payload_bytes = 70'000},
                                          {.flags = 4, .stream = 0x8000'0005, .payload_bytes = 1}};
  std::string all;
  for (const FrameShape& shape : shapes) all += Frame(kHeaders, shape);
  for (int round = 0; round < 40; ++round) {
    FrameScanner scanner;
    std::vector<FrameHeader> found;
    for (std::string_view left = all; !left.empty();) {
      const std::size_t size = 1 + random.NextBelow(round % 2 == 0 ? 12 : 50'000);
      auto piece = Bytes(left.substr(0, size));
      left.remove_prefix(piece.size());
      while (const auto frame = scanner.Next(piece)) found.push_back(*frame);
      EXPECT_TRUE(piece.empty());
    }
    ASSERT_EQ(found.size(), shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      EXPECT_EQ(found[i].length, shapes[i].payload_bytes);
      EXPECT_EQ(found[i].type, kHeaders);
      EXPECT_EQ(found[i].flags, shapes[i].flags);
      EXPECT_EQ(found[i].stream, shapes[i].stream & 0x7fff'ffff);
    }
  }
}

}  // namespace
}  // namespace wattmint::door
