// SPDX-License-Identifier: Apache-2.0
#include "bridge/connection_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace wattmint::bridge {
namespace {

using Kind = ConnectionLimits::Kind;
using Verdict = ConnectionLimits::Verdict;

TEST(ConnectionLimitsTest, LimitsWebSocketsOfOneAddressAndOfAll) {
  ConnectionLimits limits(3, 2);
  for (const char* ip : {"a", "a", "a", "b", "b", "c"}) EXPECT_EQ(limits.Enter(ip), Verdict::kYes);
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
    EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  }
  EXPECT_EQ(limits.Enter("a"), Verdict::kAddressFull);
  EXPECT_EQ(limits.Enter("b"), Verdict::kYes);
}

TEST(ConnectionLimitsTest, CountsTheClientsOfAProxyEach) {
  ConnectionLimits limits(1'000, 1);
  for (std::size_t i = 0; i < 2 * ConnectionLimits::kPlainRequestsPerIpMax; ++i) {
    EXPECT_EQ(limits.Enter("proxy", ConnectionLimits::From::kProxy), Verdict::kYes);
  }
  limits.Move("proxy", "a");
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
  limits.Move("proxy", "a");
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kAddressFull);
  limits.Move("proxy", "b");
  EXPECT_EQ(limits.Upgrade("b"), Verdict::kYes);
  limits.Leave("a", Kind::kWebSocket);
  limits.Leave("a", Kind::kPlain);
  EXPECT_EQ(limits.addresses_count(), 2u);
}

TEST(ConnectionLimitsTest, LimitsAllConnections) {
  ConnectionLimits limits(0, 1'000);
  for (std::size_t i = 0; i < ConnectionLimits::kPlainRequestsMax; ++i) {
    EXPECT_EQ(limits.Enter(std::to_string(i)), Verdict::kYes);
  }
  EXPECT_EQ(limits.Enter("one more"), Verdict::kServerFull);
}

TEST(ConnectionLimitsTest, LimitsAllConnectionsToWhatFits) {
  ConnectionLimits limits(1'000, 1'000, 2);
  EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  EXPECT_EQ(limits.Enter("b"), Verdict::kYes);
  EXPECT_EQ(limits.Enter("c"), Verdict::kServerFull);
}

TEST(ConnectionLimitsTest, AsksNobodyToEndForAnAddressThatIsFull) {
  ConnectionLimits limits(1'000, 0, ConnectionLimits::kPlainRequestsPerIpMax);
  for (std::size_t i = 0; i < ConnectionLimits::kPlainRequestsPerIpMax; ++i) {
    EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  }
  EXPECT_EQ(limits.Enter("a"), Verdict::kAddressFull);
  EXPECT_EQ(limits.Enter("b"), Verdict::kServerFull);
}

TEST(ConnectionLimitsTest, LetsOneInForAnotherThatEnds) {
  ConnectionLimits limits(1'000, 0, 1);
  EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  EXPECT_EQ(limits.Replace("b"), Verdict::kYes);
  limits.Leave("a", Kind::kPlain);
  EXPECT_EQ(limits.Enter("c"), Verdict::kServerFull) << "b is there";
  limits.Leave("b", Kind::kPlain);
  EXPECT_EQ(limits.addresses_count(), 0u) << "who was refused is not remembered";
  for (std::size_t i = 0; i < ConnectionLimits::kPlainRequestsPerIpMax; ++i) {
    EXPECT_EQ(limits.Replace("a"), Verdict::kYes);
  }
  EXPECT_EQ(limits.Replace("a"), Verdict::kAddressFull);
}

TEST(ConnectionLimitsTest, ForgetsAddressesThatHaveLeft) {
  ConnectionLimits limits(10, 10);
  EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
  limits.Leave("a", Kind::kWebSocket);
  EXPECT_EQ(limits.addresses_count(), 1u);
  limits.Leave("a", Kind::kPlain);
  EXPECT_EQ(limits.addresses_count(), 0u);
}

TEST(ConnectionLimitsTest, HoldsWhenManyThreadsComeAndGo) {
  ConnectionLimits limits(3, 2);
  std::atomic<int> sockets = 0;
  std::atomic<int> sockets_max = 0;
  std::vector<std::thread> threads;
  for (const char* ip : {"a", "a", "b", "c", "c", "c"}) {
    threads.emplace_back([&, ip = std::string(ip)] {
      for (int i = 0; i < 1'000; ++i) {
        if (limits.Enter("proxy", ConnectionLimits::From::kProxy) != Verdict::kYes) continue;
        limits.Move("proxy", ip);
        const bool is_socket = limits.Upgrade(ip) == Verdict::kYes;
        const int now = is_socket ? ++sockets : sockets.load();
        int most = sockets_max;
        while (now > most && !sockets_max.compare_exchange_weak(most, now)) continue;
        if (is_socket) --sockets;
        limits.Leave(ip, is_socket ? Kind::kWebSocket : Kind::kPlain);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(sockets_max, 3);
  EXPECT_EQ(limits.addresses_count(), 0u) << "all were counted down again";
  EXPECT_EQ(limits.Enter("a"), Verdict::kYes);
  EXPECT_EQ(limits.Upgrade("a"), Verdict::kYes);
}

}  // namespace
}  // namespace wattmint::bridge
