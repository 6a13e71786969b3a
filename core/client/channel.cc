// SPDX-License-Identifier: Apache-2.0
#include "core/client/channel.h"

#include "core/access/reason.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/error_details.h>

#include <chrono>

namespace wattmint::client {
namespace {

constexpr int kPingEveryMs = 30'000;  // the server allows one in 10 s
constexpr int kPongWithinMs = 10'000;
constexpr int kReconnectFirstMs = 200;
constexpr int kReconnectMaxMs = 5'000;
constexpr int kReceiveBytesMax = 64 << 20;  // chosen: the largest page of events, and room

absl::Status WithDetails(absl::Status status, const google::rpc::Status& details) {
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) {
      status = access::WithReason(std::move(status), info.reason());
      for (const auto& [key, value] : info.metadata()) {
        status = access::WithDetail(std::move(status), key, value);
      }
    }
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&retry)) {
      const auto& delay = retry.retry_delay();
      status = access::WithRetryAfter(
          std::move(status),
          std::chrono::seconds(delay.seconds()) + std::chrono::microseconds(delay.nanos() / 1'000));
    }
  }
  return status;
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPongWithinMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  // By default all channels of a process share connections, and so a back-off: a new channel
  // would fail at once because an older one found the core away a moment ago.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.tls) {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = options.root_certificates;
    credentials = grpc::SslCredentials(ssl);
    if (!options.tls_name.empty()) arguments.SetSslTargetNameOverride(options.tls_name);
  }
  return grpc::CreateCustomChannel(options.target, credentials, arguments);
}

void Attach(const Credential& credential, grpc::ClientContext& context) {
  switch (credential.kind) {
    case Credential::Kind::kNone:
      return;
    case Credential::Kind::kBearer:
      context.AddMetadata("authorization", "Bearer " + credential.text);
      return;
    case Credential::Kind::kApiKey:
      context.AddMetadata("x-api-key", credential.text);
      return;
    case Credential::Kind::kTicket:
      context.AddMetadata("authorization", "Ticket " + credential.text);
      return;
  }
}

void SetTimeout(base::Duration timeout, grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (status.error_details().empty() || !grpc::ExtractErrorDetails(status, &details).ok()) {
    return result;
  }
  return WithDetails(std::move(result), details);
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

base::Duration RetryDelay(const absl::Status& why, const base::BackoffOptions& backoff, int attempt,
                          base::RandomSource& random) {
  return access::RetryAfterOf(why).value_or(base::Duration::zero()) +
         base::BackoffDelay(backoff, attempt, random);
}

}  // namespace wattmint::client
