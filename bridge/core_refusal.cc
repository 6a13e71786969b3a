// SPDX-License-Identifier: Apache-2.0
#include "bridge/core_refusal.h"

#include "bridge/server_messages.h"
#include "core/access/reason.h"
#include "core/base/status.h"

namespace wattmint::bridge {
namespace {

// What the core would not do by this credential, or cannot do now.
ProtocolError Refusal(const std::string& id, const absl::Status& why) {
  ProtocolError error{.id = id};
  switch (why.code()) {
    case absl::StatusCode::kUnauthenticated:
      error.code = access::ReasonOf(why) == access::reason::kInvalidApiKey
                       ? error_code::kInvalidApiKey
                       : error_code::kAuthenticationFailed;
      return error;
    case absl::StatusCode::kPermissionDenied:
      error.code = error_code::kAccessDenied;
      return error;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kNotFound:
      error.code = error_code::kInternal;
      return error;
    case absl::StatusCode::kResourceExhausted:
      // gRPC says so of connections as well, and then nobody knows what became of the call.
      error.code = access::ReasonOf(why) || access::RetryAfterOf(why)
                       ? error_code::kRateLimit
                       : error_code::kUpstreamUnavailable;
      break;
    default:
      error.code = error_code::kUpstreamUnavailable;
  }
  const auto retry_after = access::RetryAfterOf(why);
  error.retry_after_ms = retry_after ? Milliseconds(*retry_after) : kRetryMs;
  return error;
}

}  // namespace

ProtocolError CredentialRefusal(const std::string& id, const absl::Status& why) {
  ProtocolError error = Refusal(id, why);
  error.message =
      error.retry_after_ms ? "the credential can't be checked now" : "the credential was refused";
  return error;
}

// The core is asked by the bridge's own credential: nothing of this is the client's fault. What may
// go well later is kUnavailable.
ProtocolError BatchRefusal(const std::string& id, const std::string& channel,
                           const absl::Status& why) {
  if (!absl::IsUnavailable(why)) {
    return {.id = id,
            .code = error_code::kInternal,
            .message = "the tasks of this job cannot be read",
            .channel = channel};
  }
  return {.id = id,
          .code = error_code::kUpstreamUnavailable,
          .message = "the tasks of this job cannot be had now",
          .channel = channel,
          .retry_after_ms = kRetryMs};
}

ProtocolError SubmitRefusal(const std::string& id, const absl::Status& why) {
  if (absl::IsInvalidArgument(why)) {
    return {
        .id = id, .code = error_code::kInvalidReading, .message = std::string(base::Message(why))};
  }
  ProtocolError error = Refusal(id, why);
  const bool is_unknown =
      error.code == error_code::kUpstreamUnavailable || error.code == error_code::kInternal;
  error.message = is_unknown
                      ? "it is not known whether the reading was accepted: submit the same again"
                      : "the core refused it";
  return error;
}

}  // namespace wattmint::bridge
