// SPDX-License-Identifier: Apache-2.0
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include <gtest/gtest.h>

#include <memory>

namespace wattmint::test {
namespace {

using grpc::channelz::v1::Channelz;

class ChannelzTest : public testing::Test {
 protected:
  auto GetServers(const client::Credential& credential) {
    return Call(*stub_, &Channelz::Stub::GetServers, credential, {});
  }

  TestCore core_;
  std::unique_ptr<Channelz::Stub> stub_ = Channelz::NewStub(core_.channel());
};

TEST_F(ChannelzTest, AnAdminSeesTheServerAndTheOwnConnection) {
  const auto servers = GetServers(core_.admin());
  ASSERT_THAT(servers, IsOk());
  ASSERT_EQ(servers->server_size(), 1);
  EXPECT_GT(servers->server(0).data().calls_started(), 0);

  grpc::channelz::v1::GetServerSocketsRequest sockets_asked;
  sockets_asked.set_server_id(servers->server(0).ref().server_id());
  const auto sockets =
      Call(*stub_, &Channelz::Stub::GetServerSockets, core_.admin(), sockets_asked);
  ASSERT_THAT(sockets, IsOk());
  ASSERT_GE(sockets->socket_ref_size(), 1);

  grpc::channelz::v1::GetSocketRequest socket_asked;
  socket_asked.set_socket_id(sockets->socket_ref(0).socket_id());
  const auto socket = Call(*stub_, &Channelz::Stub::GetSocket, core_.admin(), socket_asked);
  ASSERT_THAT(socket, IsOk());
  EXPECT_TRUE(socket->socket().remote().has_tcpip_address());
  EXPECT_GT(socket->socket().data().streams_started(), 0);
}

TEST_F(ChannelzTest, WhatIsNotThereIsNotFound) {
  grpc::channelz::v1::GetServerRequest request;
  request.set_server_id(123'456'789);
  EXPECT_THAT(Call(*stub_, &Channelz::Stub::GetServer, core_.admin(), request),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ChannelzTest, NobodyElseIsAnswered) {
  const auto key = core_.CreateKey("alice", {v1::ROLE_USER, v1::ROLE_INGEST});
  EXPECT_THAT(GetServers(key.credential), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(GetServers(core_.relay()), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(GetServers(client::Credential()), StatusIs(absl::StatusCode::kUnauthenticated));
}

}  // namespace
}  // namespace wattmint::test
