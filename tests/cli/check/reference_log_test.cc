// SPDX-License-Identifier: Apache-2.0
#include "cli/check/reference_log.h"

#include <gtest/gtest.h>

#include <thread>

namespace wattmint::check {
namespace {

constexpr std::chrono::seconds kPatience{20};

LogEntry Entry(std::int64_t sequence) {
  return {.grpc_digest = static_cast<std::uint64_t>(sequence), .type = 10};
}

TEST(ReferenceLogTest, EntriesAreFoundBySequence) {
  ReferenceLog log(101);
  EXPECT_EQ(log.head(), 100);
  for (std::int64_t sequence = 101; sequence <= 5'000; ++sequence) log.Append(Entry(sequence));
  EXPECT_EQ(log.head(), 5'000);
  LogWindow window(log);
  for (const std::int64_t sequence : {101, 102, 1'500, 5'000, 103}) {
    ASSERT_NE(window.Find(sequence), nullptr) << sequence;
    EXPECT_EQ(window.Find(sequence)->grpc_digest, static_cast<std::uint64_t>(sequence));
  }
  EXPECT_EQ(window.Find(100), nullptr);
  EXPECT_EQ(window.Find(5'001), nullptr);
  log.Append(Entry(5'001));
  EXPECT_NE(window.Find(5'001), nullptr) << "what comes later is found then";
}

TEST(ReferenceLogTest, WhoWaitsIsToldWhenItHasGrown) {
  ReferenceLog log(1);
  EXPECT_FALSE(log.WaitFor(1, std::chrono::milliseconds(1)));
  std::thread reader([&log] {
    for (std::int64_t sequence = 1; sequence <= 1'000; ++sequence) log.Append(Entry(sequence));
  });
  EXPECT_TRUE(log.WaitFor(1'000, kPatience));
  LogWindow window(log);
  EXPECT_NE(window.Find(1'000), nullptr);
  reader.join();
}

TEST(ReferenceLogTest, WhoWaitsIsToldWhenNothingMoreComes) {
  ReferenceLog log(1);
  std::thread reader([&log] { log.Close(); });
  EXPECT_FALSE(log.WaitFor(1, kPatience));
  EXPECT_TRUE(log.is_closed());
  reader.join();
}

}  // namespace
}  // namespace wattmint::check
