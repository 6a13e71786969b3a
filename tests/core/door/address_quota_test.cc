// SPDX-License-Identifier: Apache-2.0
#include "core/door/address_quota.h"

#include "core/base/tcp_socket.h"

#include <gtest/gtest.h>

namespace wattmint::door {
namespace {

std::string Key(const std::string& host) {
  return AddressQuota::KeyOf(base::Resolve(host + ":1")->front().bytes);
}

TEST(AddressQuotaTest, EachAddressHasItsOwn) {
  AddressQuota quota(2);
  EXPECT_TRUE(quota.Take(Key("192.0.2.1")));
  EXPECT_TRUE(quota.Take(Key("192.0.2.1")));
  EXPECT_FALSE(quota.Take(Key("192.0.2.1")));
  EXPECT_TRUE(quota.Take(Key("192.0.2.2")));
  quota.Return(Key("192.0.2.1"));
  EXPECT_TRUE(quota.Take(Key("192.0.2.1")));
  EXPECT_FALSE(quota.Take(Key("192.0.2.1")));
}

TEST(AddressQuotaTest, NobodyIsLetInByAQuotaOfNothing) {
  AddressQuota quota(0);
  EXPECT_FALSE(quota.Take(Key("192.0.2.1")));
  EXPECT_FALSE(quota.Take(Key("192.0.2.1")));
}

TEST(AddressQuotaTest, KnowsWhoHasMoreThanAnotherWouldHave) {
  AddressQuota quota(9);
  EXPECT_EQ(quota.FindGreedier("a"), std::nullopt);
  for (const char* key : {"a", "b", "b", "c", "c", "c"}) EXPECT_TRUE(quota.Take(key));
  EXPECT_EQ(quota.FindGreedier("d"), "c");
  EXPECT_EQ(quota.FindGreedier("a"), "c");
  EXPECT_EQ(quota.FindGreedier("b"), std::nullopt);
  EXPECT_EQ(quota.FindGreedier("c"), std::nullopt);
}

TEST(AddressQuotaTest, ASubscribersNetworkOfIpv6IsOneAddress) {
  EXPECT_EQ(Key("[2001:db8:1:2::1]"), Key("[2001:db8:1:2:ffff::9]"));
  EXPECT_NE(Key("[2001:db8:1:2::1]"), Key("[2001:db8:1:3::1]"));
  EXPECT_EQ(Key("[::ffff:192.0.2.1]"), Key("192.0.2.1"));
  EXPECT_NE(Key("[::ffff:192.0.2.1]"), Key("[::ffff:192.0.2.2]"));
}

}  // namespace
}  // namespace wattmint::door
