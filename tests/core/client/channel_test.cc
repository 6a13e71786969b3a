// SPDX-License-Identifier: Apache-2.0
#include "core/client/channel.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/tcp_socket.h"
#include "core/client/core_api.h"
#include "tests/support/status_matchers.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

namespace wattmint::client {
namespace {

using test::StatusIs;

TEST(ChannelTest, StatusWithoutDetailsKeepsCodeAndMessage) {
  const absl::Status status = FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "gone"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "gone"));
  EXPECT_EQ(access::ReasonOf(status), std::nullopt);
}

TEST(ChannelTest, DetailsThatAreNoneArePassedOver) {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "gone", "\xff\xff"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "gone"));
}

TEST(ChannelTest, OkIsOk) { EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok()); }

TEST(ChannelTest, WhatNoCallCanCarryIsNoCredential) {
  EXPECT_TRUE(CheckCredential(Credential::ApiKey("key ~")).ok());
  EXPECT_TRUE(CheckCredential({}).ok());
  EXPECT_TRUE(CheckCredential(Credential::Bearer(std::string(kCredentialBytesMax, 'x'))).ok());
  for (const std::string& text :
       {std::string("\xc3\xa9"), std::string("a\nb"), std::string(1, '\0'), std::string("\x7f"),
        std::string(kCredentialBytesMax + 1, 'x')}) {
    const absl::Status status = CheckCredential(Credential::ApiKey(text));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(access::ReasonOf(status), access::reason::kInvalidApiKey);
    grpc::ClientContext context;
    Attach(Credential::ApiKey(text), context);  // ends no program
  }
  EXPECT_EQ(access::ReasonOf(CheckCredential(Credential::Ticket("\n"))),
            access::reason::kInvalidTicket);
  EXPECT_EQ(access::ReasonOf(CheckCredential(Credential::Bearer("\n"))),
            access::reason::kInvalidToken);
}

TEST(ChannelTest, OnlyWhatMayPassIsTransient) {
  EXPECT_TRUE(IsTransient(base::Unavailable("x")));
  EXPECT_TRUE(IsTransient(base::ResourceExhausted("x")));
  EXPECT_TRUE(IsTransient(base::DeadlineExceeded("x")));
  EXPECT_TRUE(IsTransient(base::Internal("x")));
  EXPECT_FALSE(IsTransient(base::Unauthenticated("x")));
  EXPECT_FALSE(IsTransient(base::PermissionDenied("x")));
  EXPECT_FALSE(IsTransient(base::InvalidArgument("x")));
  EXPECT_FALSE(IsTransient(base::FailedPrecondition("x")));
  EXPECT_FALSE(IsTransient(base::OutOfRange("x")));
  EXPECT_FALSE(IsTransient(base::Unimplemented("x")));
}

TEST(ChannelTest, WithoutAServerACallIsUnavailable) {
  CoreApi api(OpenChannel({.target = "127.0.0.1:1", .tls = {}}));
  EXPECT_THAT(api.WhoAmI(Credential::ApiKey("k")), StatusIs(absl::StatusCode::kUnavailable));
}

// How often somebody connects in that time, and is not answered.
int ConnectionsIn(const base::UniqueFd& listener, std::chrono::milliseconds time) {
  std::vector<base::UniqueFd> accepted;
  const auto end = std::chrono::steady_clock::now() + time;
  for (auto now = end - time; now < end; now = std::chrono::steady_clock::now()) {
    pollfd look{.fd = listener.get(), .events = POLLIN, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
    if (poll(&look, 1, static_cast<int>(left.count())) != 1) break;
    accepted.emplace_back(accept(listener.get(), nullptr, nullptr));
  }
  return static_cast<int>(accepted.size());
}

TEST(ChannelTest, ASlowHandshakeIsNotCutShort) {
  const auto addresses = base::Resolve("127.0.0.1:0");
  ASSERT_THAT(addresses, test::IsOk());
  const auto listener = base::ListenTcp(addresses->front());
  ASSERT_THAT(listener, test::IsOk());
  const int port = base::LocalAddress(*listener).port();
  const auto channel = OpenChannel({.target = fmt::format("127.0.0.1:{}", port), .tls = {}});
  channel->GetState(/*try_to_connect=*/true);
  EXPECT_EQ(ConnectionsIn(*listener, std::chrono::seconds(1)), 1);
}

}  // namespace
}  // namespace wattmint::client
