// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/status_convert.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/client/channel.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace wattmint::rpc {
namespace {

template <typename Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

struct Row {
  absl::Status domain;
  grpc::StatusCode code;
  std::string reason;
  bool has_retry;
};

TEST(StatusConvertTest, EveryRowOfTheErrorTableHolds) {
  using access::WithReason;
  const Row rows[] = {
      {base::InvalidArgument("x"), grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT", false},
      {WithReason(base::InvalidArgument("x"), "CURSOR_INVALID"), grpc::INVALID_ARGUMENT,
       "CURSOR_INVALID", false},
      {WithReason(base::Unauthenticated("x"), access::reason::kExpiredToken), grpc::UNAUTHENTICATED,
       "EXPIRED_TOKEN", false},
      {WithReason(base::PermissionDenied("x"), access::reason::kNotOwner), grpc::PERMISSION_DENIED,
       "NOT_OWNER", false},
      {base::NotFound("x"), grpc::NOT_FOUND, "NOT_FOUND", false},
      {base::AlreadyExists("x"), grpc::ALREADY_EXISTS, "ALREADY_EXISTS", false},
      {base::FailedPrecondition("x"), grpc::FAILED_PRECONDITION, "FAILED_PRECONDITION", false},
      {WithReason(base::FailedPrecondition("x"), "EPOCH_CHANGED"), grpc::FAILED_PRECONDITION,
       "EPOCH_CHANGED", false},
      {base::OutOfRange("x"), grpc::OUT_OF_RANGE, "COMPACTED", false},
      {base::ResourceExhausted("x"), grpc::RESOURCE_EXHAUSTED, "OVERLOADED", true},
      {Overloaded("x"), grpc::RESOURCE_EXHAUSTED, "OVERLOADED", true},
      {base::Unavailable("x"), grpc::UNAVAILABLE, "UNAVAILABLE", true},
      {base::DeadlineExceeded("x"), grpc::UNAVAILABLE, "UNAVAILABLE", true},
      {base::Aborted("x"), grpc::UNAVAILABLE, "UNAVAILABLE", true},
      {IsDraining(), grpc::UNAVAILABLE, "DRAINING", true},
      {base::Cancelled("x"), grpc::CANCELLED, "CANCELLED", false},
      {base::Internal("x"), grpc::INTERNAL, "INTERNAL", false},
      {base::DataLoss("x"), grpc::INTERNAL, "INTERNAL", false},
      {base::Unimplemented("x"), grpc::INTERNAL, "INTERNAL", false},
  };
  for (const Row& row : rows) {
    const grpc::Status status = ToGrpc(row.domain);
    EXPECT_EQ(status.error_code(), row.code) << row.domain.ToString();
    const auto info = DetailOf<google::rpc::ErrorInfo>(status);
    ASSERT_TRUE(info.has_value()) << row.domain.ToString();
    EXPECT_EQ(info->domain(), "wattmint");
    EXPECT_EQ(info->reason(), row.reason) << row.domain.ToString();
    EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).has_value(), row.has_retry)
        << row.domain.ToString();
  }
}

TEST(StatusConvertTest, OkIsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(StatusConvertTest, OurOwnBugsDoNotShowTheirInside) {
  const grpc::Status status = ToGrpc(base::Internal("row 7 of table secrets"));
  EXPECT_EQ(status.error_message().find("secrets"), std::string::npos);
  EXPECT_EQ(status.error_details().find("secrets"), std::string::npos);
}

TEST(StatusConvertTest, ABadFieldIsNamed) {
  const auto bad =
      DetailOf<google::rpc::BadRequest>(ToGrpc(BadField("page_size", "must be small")));
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 1);
  EXPECT_EQ(bad->field_violations(0).field(), "page_size");
}

TEST(StatusConvertTest, AClientGetsBackWhatTheDomainSaid) {
  absl::Status domain = access::WithReason(base::OutOfRange("too old"), "COMPACTED");
  domain = access::WithDetail(std::move(domain), "oldest_sequence", "17");
  domain = access::WithRetryAfter(std::move(domain), std::chrono::milliseconds(1'500));
  const absl::Status back = client::FromGrpc(ToGrpc(domain));
  EXPECT_EQ(back.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(base::Message(back), "too old");
  EXPECT_EQ(access::ReasonOf(back), "COMPACTED");
  EXPECT_EQ(access::DetailsOf(back).at("oldest_sequence"), "17");
  EXPECT_EQ(access::RetryAfterOf(back), std::chrono::milliseconds(1'500));
}

}  // namespace
}  // namespace wattmint::rpc
