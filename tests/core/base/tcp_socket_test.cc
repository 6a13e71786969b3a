// SPDX-License-Identifier: Apache-2.0
#include "core/base/tcp_socket.h"

#include "tests/support/status_matchers.h"

namespace wattmint::base {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

TEST(TcpSocketTest, KnowsLoopbackInEverySpelling) {
  for (const auto& [address, is_loopback] : {std::pair{"127.0.0.1:1", true},
                                             {"127.9.9.9:1", true},
                                             {"[::1]:1", true},
                                             {"[::ffff:127.0.0.1]:1", true},
                                             {"0.0.0.0:1", false},
                                             {"[::]:1", false},
                                             {"192.0.2.7:1", false},
                                             {"[::ffff:192.0.2.7]:1", false},
                                             {"[2001:db8::1]:1", false}}) {
    const auto found = Resolve(address);
    ASSERT_THAT(found, IsOk()) << address;
    ASSERT_EQ(found->size(), 1);
    EXPECT_EQ(found->front().IsLoopback(), is_loopback) << address;
    EXPECT_EQ(found->front().port(), 1);
  }
  const auto names = Resolve("localhost:50051");
  ASSERT_THAT(names, IsOk());
  for (const TcpAddress& address : *names) EXPECT_TRUE(address.IsLoopback());
}

TEST(TcpSocketTest, RefusesWhatIsNoAddress) {
  EXPECT_THAT(Resolve("127.0.0.1"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Resolve("no.such.host.invalid:1"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(TcpSocketTest, ListensWhereNobodyElseDoes) {
  const auto any = Resolve("127.0.0.1:0");
  ASSERT_THAT(any, IsOk());
  const auto first = ListenTcp(any->front());
  ASSERT_THAT(first, IsOk());
  TcpAddress taken = LocalAddress(*first);
  EXPECT_NE(taken.port(), 0);
  TcpAddress same = any->front();
  same.set_port(taken.port());
  EXPECT_THAT(ListenTcp(same), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
}

}  // namespace
}  // namespace wattmint::base
