// SPDX-License-Identifier: Apache-2.0
#include "core/client/channel.h"

#include "core/access/reason.h"
#include "core/base/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/error_details.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace wattmint::client {
namespace {

constexpr int kPingEveryMs = 30'000;  // the server allows one in 10 s
constexpr int kPongWithinMs = 10'000;
constexpr int kConnectWithinMs = 10'000;  // with TLS over a slow line
constexpr int kReconnectFirstMs = 200;
constexpr int kReconnectMaxMs = 5'000;
constexpr unsigned int kLookAtFilesEverySeconds = 60;
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

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ChannelTls& tls) {
  if (tls.ca.empty()) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          tls.key, tls.certificate, tls.ca, kLookAtFilesEverySeconds));
  options.watch_root_certs();
  if (!tls.certificate.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

std::string_view ReasonOfKind(Credential::Kind kind) {
  switch (kind) {
    case Credential::Kind::kApiKey:
      return access::reason::kInvalidApiKey;
    case Credential::Kind::kTicket:
      return access::reason::kInvalidTicket;
    default:
      return access::reason::kInvalidToken;
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPongWithinMs);
  // A subscriber only listens: without this, it would ping twice and then never again.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  // In spite of its name: how long an attempt may take (gRPC's connection-backoff.md calls it
  // MIN_CONNECT_TIMEOUT).
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectWithinMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  // By default all channels of a process share connections, and so a back-off: a new channel
  // would fail at once because an older one found the core away a moment ago.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(options.target, CredentialsOf(options.tls), arguments);
}

absl::Status CheckTls(const ChannelTls& tls) {
  if (tls.certificate.empty() != tls.key.empty()) {
    return base::InvalidArgument("a client's certificate and its key are needed both, or neither");
  }
  if (tls.ca.empty() && !tls.certificate.empty()) {
    return base::InvalidArgument(
        "a client's certificate is shown by TLS only: name the certificates that the core's is "
        "signed by");
  }
  for (const std::string& path : {tls.ca, tls.certificate, tls.key}) {
    if (!path.empty() && !std::ifstream(path)) {
      return base::InvalidArgument("{} cannot be read", path);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCredential(const Credential& credential) {
  const bool is_plain = std::ranges::all_of(
      credential.text, [](char character) { return character >= 0x20 && character < 0x7f; });
  if (is_plain && credential.text.size() <= kCredentialBytesMax) return absl::OkStatus();
  return access::WithReason(
      base::Unauthenticated("a credential is printable ASCII of at most {} bytes",
                            kCredentialBytesMax),
      ReasonOfKind(credential.kind));
}

void Attach(const Credential& credential, grpc::ClientContext& context) {
  if (!CheckCredential(credential).ok()) return;
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
