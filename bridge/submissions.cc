// SPDX-License-Identifier: Apache-2.0
#include "bridge/submissions.h"

#include "bridge/core_refusal.h"

#include <utility>

namespace wattmint::bridge {
namespace {

using CredentialKind = client::Credential::Kind;

constexpr int kInFlightMax = 4;  // chosen: one client must not keep the others from the core

}  // namespace

Submissions::Submissions(const SessionContext& context, const ServerMessages& messages,
                         std::function<void(const SharedFrame&)> send,
                         std::function<void(ProtocolError)> refuse)
    : context_(context), messages_(messages), send_(std::move(send)), refuse_(std::move(refuse)) {}

void Submissions::Use(client::Credential credential) {
  const bool lasts =
      credential.kind == CredentialKind::kBearer || credential.kind == CredentialKind::kApiKey;
  if (lasts) credential_ = std::move(credential);
}

void Submissions::Submit(const std::string& id, const domain::Reading& reading) {
  if (credential_.kind == CredentialKind::kNone) {
    return refuse_({.id = id,
                    .code = error_code::kAccessDenied,
                    .message = "a ticket only lets listen: send Authenticate with a token or key"});
  }
  if (in_flight_ >= kInFlightMax) {
    return refuse_({.id = id,
                    .code = error_code::kRateLimit,
                    .message = "wait for the answers to the readings before",
                    .retry_after_ms = kRetryMs});
  }
  ++in_flight_;
  context_.core.SubmitReading(credential_, reading,
                              [this, id, alive = std::weak_ptr<const bool>(alive_)](
                                  const absl::StatusOr<SubmitAnswer>& answer) {
                                if (!alive.expired()) OnAnswer(id, answer);
                              });
}

void Submissions::OnAnswer(const std::string& id, const absl::StatusOr<SubmitAnswer>& answer) {
  --in_flight_;
  if (!answer.ok()) return refuse_(SubmitRefusal(id, answer.status()));
  send_(messages_.ReadingSubmitted(id, *answer));
}

}  // namespace wattmint::bridge
