// SPDX-License-Identifier: Apache-2.0
#include "bridge/write_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::bridge {
namespace {

SharedFrame Frame(const std::string& bytes) { return std::make_shared<const std::string>(bytes); }

// What would be written next, in at most two parts.
std::string Front(const WriteQueue& queue) {
  std::array<iovec, 2> parts;
  std::string bytes;
  const std::size_t count = queue.Gather(parts);
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return bytes;
}

TEST(WriteQueueTest, HandsOutFramesInOrder) {
  WriteQueue queue;
  EXPECT_TRUE(queue.IsEmpty());
  for (const char* bytes : {"one", "two", "three"}) queue.Push(Frame(bytes));
  EXPECT_EQ(queue.bytes(), 11u);
  EXPECT_EQ(Front(queue), "onetwo");
  queue.Consume(4);
  EXPECT_EQ(queue.bytes(), 7u);
  EXPECT_EQ(Front(queue), "wothree");
  queue.Consume(7);
  EXPECT_TRUE(queue.IsEmpty());
  EXPECT_EQ(Front(queue), "");
}

TEST(WriteQueueTest, GoesOnWithinAFrameThatWasBegun) {
  WriteQueue queue;
  queue.Push(Frame("begun"), nullptr, 3);
  queue.Push(Frame("next"));
  EXPECT_EQ(queue.bytes(), 6u);
  EXPECT_EQ(Front(queue), "unnext");
  queue.Consume(2);
  EXPECT_EQ(Front(queue), "next");
}

TEST(WriteQueueTest, TellsWhatIsThroughOnce) {
  WriteQueue queue;
  int told = 0;
  const auto tell = [&told](const std::error_code&) { ++told; };
  queue.Push(Frame("one"), tell);
  queue.Push(Frame("two"), tell);
  EXPECT_EQ(queue.Consume(2).size(), 0u);
  for (const auto& done : queue.Consume(1)) done({});
  EXPECT_EQ(told, 1);
  for (const auto& done : queue.Clear()) done({});
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(queue.IsEmpty());
}

TEST(WriteQueueTest, KeepsItsOrderOverManyTurns) {
  WriteQueue queue;
  std::string expected;
  std::string written;
  for (int i = 0; i < 1'000; ++i) {
    const std::string bytes = std::to_string(i);
    expected += bytes;
    queue.Push(Frame(bytes));
    const std::string next = Front(queue).substr(0, 2);
    written += next;
    queue.Consume(next.size());
  }
  while (!queue.IsEmpty()) {
    const std::string next = Front(queue);
    written += next;
    queue.Consume(next.size());
  }
  EXPECT_EQ(written, expected);
}

}  // namespace
}  // namespace wattmint::bridge
