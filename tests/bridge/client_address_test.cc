// SPDX-License-Identifier: Apache-2.0
#include "bridge/client_address.h"

#include <gtest/gtest.h>

namespace wattmint::bridge {
namespace {

TEST(ClientAddressTest, CountsByAddressOrNetwork) {
  EXPECT_EQ(CountedAddress("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(CountedAddress("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(CountedAddress("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(CountedAddress("2001:db8:1:2::1"), CountedAddress("2001:db8:1:2:ffff::"));
  EXPECT_NE(CountedAddress("2001:db8:1:2::1"), CountedAddress("2001:db8:1:3::1"));
  EXPECT_EQ(CountedAddress("no address"), "no address");
}

TEST(ClientAddressTest, BelievesTrustedProxiesAlone) {
  const std::vector<std::string> trusted = {"10.0.0.1", "10.0.0.2"};
  const auto from = [&](const char* peer, const char* header) {
    return ForwardedAddress(peer, header, trusted);
  };
  EXPECT_EQ(from("10.0.0.1", "192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(from("192.0.2.9", "192.0.2.7"), "192.0.2.9") << "a stranger's word";
  EXPECT_EQ(from("10.0.0.1", "1.2.3.4, 192.0.2.7"), "192.0.2.7") << "the client's own lie";
  EXPECT_EQ(from("10.0.0.1", "1.2.3.4, 192.0.2.7, 10.0.0.2"), "192.0.2.7") << "two proxies";
  EXPECT_EQ(from("10.0.0.1", "2001:db8::1"), "2001:db8::/64");
  EXPECT_EQ(from("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(from("10.0.0.1", "unknown"), "10.0.0.1");
  EXPECT_EQ(from("10.0.0.1", "192.0.2.7, unknown"), "10.0.0.1");
  EXPECT_EQ(from("10.0.0.1", "10.0.0.2"), "10.0.0.2") << "nobody behind it";
}

TEST(ClientAddressTest, KnowsAddresses) {
  for (const char* text : {"1.2.3.4", "::1", "2001:db8::"}) EXPECT_TRUE(IsAddress(text)) << text;
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4:80", "[::1]", "10.0.0.0/8"}) {
    EXPECT_FALSE(IsAddress(text)) << text;
  }
}

}  // namespace
}  // namespace wattmint::bridge
