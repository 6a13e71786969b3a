// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/status_convert.h"

#include "core/access/reason.h"
#include "core/base/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include <absl/strings/cord.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>

namespace wattmint::rpc {
namespace {

constexpr char kDomain[] = "wattmint";
constexpr char kFieldUrl[] = "wattmint.field";
constexpr base::Duration kRetryAfterTrouble = std::chrono::seconds(1);

// What an error is called that does not say so itself.
std::string_view DefaultReason(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case absl::StatusCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case absl::StatusCode::kOutOfRange:
      return "COMPACTED";
    case absl::StatusCode::kResourceExhausted:
      return "OVERLOADED";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
      return "UNAVAILABLE";
    case absl::StatusCode::kCancelled:
      return "CANCELLED";
    default:
      return "INTERNAL";
  }
}

// Codes that only our own parts speak, as the table knows them.
absl::StatusCode OutwardCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
      return absl::StatusCode::kUnavailable;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kUnimplemented:
      return absl::StatusCode::kInternal;
    default:
      return code;
  }
}

void AddInfo(const absl::Status& status, google::rpc::Status& details) {
  google::rpc::ErrorInfo info;
  info.set_domain(kDomain);
  info.set_reason(access::ReasonOf(status).value_or(std::string(DefaultReason(status.code()))));
  for (const auto& [key, value] : access::DetailsOf(status))
    (*info.mutable_metadata())[key] = value;
  details.add_details()->PackFrom(info);
}

void AddField(const absl::Status& status, google::rpc::Status& details) {
  const auto field = status.GetPayload(kFieldUrl);
  if (!field.has_value()) return;
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field(std::string(*field));
  violation->set_description(std::string(base::Message(status)));
  details.add_details()->PackFrom(bad_request);
}

void AddRetry(const absl::Status& status, absl::StatusCode code, google::rpc::Status& details) {
  std::optional<base::Duration> after = access::RetryAfterOf(status);
  if (!after.has_value() &&
      (code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted)) {
    after = kRetryAfterTrouble;
  }
  if (!after.has_value()) return;
  google::rpc::RetryInfo retry;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*after);
  retry.mutable_retry_delay()->set_seconds(seconds.count());
  retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>((*after - seconds).count()) *
                                         1'000);
  details.add_details()->PackFrom(retry);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::StatusCode code = OutwardCode(status.code());
  std::string message(base::Message(status));
  if (code == absl::StatusCode::kInternal) {
    spdlog::error("a call ended with an internal error: {}", status.ToString());
    message = "internal error; the server's log says more";
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  AddInfo(status, details);
  AddField(status, details);
  AddRetry(status, code, details);
  return grpc::Status(static_cast<grpc::StatusCode>(code), message, details.SerializeAsString());
}

absl::Status WithField(absl::Status status, std::string_view field) {
  status.SetPayload(kFieldUrl, absl::Cord(absl::string_view(field.data(), field.size())));
  return status;
}

absl::Status BadField(std::string_view field, std::string_view message) {
  return WithField(base::InvalidArgument("{}: {}", field, message), field);
}

absl::Status Overloaded(std::string_view message) {
  return access::WithReason(base::ResourceExhausted("{}", message), "OVERLOADED");
}

absl::Status IsDraining() {
  return access::WithReason(base::Unavailable("the server is about to stop"), "DRAINING");
}

}  // namespace wattmint::rpc
