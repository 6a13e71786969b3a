// SPDX-License-Identifier: Apache-2.0
#include "core/client/channel.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/client/core_api.h"
#include "tests/support/status_matchers.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

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
  CoreApi api(OpenChannel(
      {.target = "127.0.0.1:1", .tls = false, .root_certificates = "", .tls_name = ""}));
  EXPECT_THAT(api.WhoAmI(Credential::ApiKey("k")), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::client
