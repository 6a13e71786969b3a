// SPDX-License-Identifier: Apache-2.0
#include "bridge/connection_limits.h"

#include <gtest/gtest.h>

namespace wattmint::bridge {
namespace {

using Kind = ConnectionLimits::Kind;
using Verdict = ConnectionLimits::Verdict;

TEST(ConnectionLimitsTest, LimitsWebSocketsOfOneAddressAndOfAll) {
  ConnectionLimits limits(3, 2);
  for (const char* ip : {"a", "a", "a", "b", "b", "c"}) EXPECT_TRUE(limits.Enter(ip));
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kAddressFull);
  EXPECT_EQ(limits.Upgrade("b"), Verdict::kYes);
  EXPECT_EQ(limits.Upgrade("c"), Verdict::kServerFull);
  limits.Leave("a", Kind::kWebSocket);
  EXPECT_EQ(limits.Upgrade("b"), Verdict::kYes);
}

TEST(ConnectionLimitsTest, LimitsConnectionsThatAreNoWebSocketYet) {
  ConnectionLimits limits(1'000, 1);
  for (std::size_t i = 0; i < 1 + ConnectionLimits::kPlainRequestsPerIpMax; ++i) {
    EXPECT_TRUE(limits.Enter("a"));
  }
  EXPECT_FALSE(limits.Enter("a"));
  EXPECT_TRUE(limits.Enter("b"));
}

TEST(ConnectionLimitsTest, LimitsAllConnections) {
  ConnectionLimits limits(0, 1'000);
  for (std::size_t i = 0; i < ConnectionLimits::kPlainRequestsMax; ++i) {
    EXPECT_TRUE(limits.Enter(std::to_string(i)));
  }
  EXPECT_FALSE(limits.Enter("one more"));
}

TEST(ConnectionLimitsTest, ForgetsAddressesThatHaveLeft) {
  ConnectionLimits limits(10, 10);
  EXPECT_TRUE(limits.Enter("a"));
  EXPECT_TRUE(limits.Enter("a"));
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
  limits.Leave("a", Kind::kWebSocket);
  EXPECT_EQ(limits.addresses_count(), 1u);
  limits.Leave("a", Kind::kPlain);
  EXPECT_EQ(limits.addresses_count(), 0u);
}

}  // namespace
}  // namespace wattmint::bridge
