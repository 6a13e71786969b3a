// SPDX-License-Identifier: Apache-2.0
#include "core/client/core_api.h"

#include "core/base/status_macros.h"
#include "wattmint/v1/access.grpc.pb.h"
#include "wattmint/v1/event.grpc.pb.h"
#include "wattmint/v1/mint.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

namespace wattmint::client {
namespace {

template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Ask(const Credential& credential, base::Duration timeout, Stub& stub,
                             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                             const Request& request) {
  WATTMINT_RETURN_IF_ERROR(CheckCredential(credential));
  grpc::ClientContext context;
  Attach(credential, context);
  SetTimeout(timeout, context);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

}  // namespace

struct CoreApi::Stubs {
  v1::AccessService::Stub access;
  v1::EventService::Stub event;
  v1::MintService::Stub mint;
  v1::ReadingService::Stub reading;
};

CoreApi::CoreApi(std::shared_ptr<grpc::Channel> channel, base::Duration timeout)
    : stubs_(new Stubs{v1::AccessService::Stub(channel), v1::EventService::Stub(channel),
                       v1::MintService::Stub(channel), v1::ReadingService::Stub(channel)}),
      timeout_(timeout) {}

CoreApi::~CoreApi() = default;

absl::StatusOr<v1::WhoAmIResponse> CoreApi::WhoAmI(const Credential& credential) {
  return Ask(credential, timeout_, stubs_->access, &v1::AccessService::Stub::WhoAmI,
             v1::WhoAmIRequest());
}

absl::StatusOr<v1::CreateTicketResponse> CoreApi::CreateTicket(
    const Credential& credential, const v1::CreateTicketRequest& request) {
  return Ask(credential, timeout_, stubs_->access, &v1::AccessService::Stub::CreateTicket, request);
}

absl::StatusOr<v1::ReadEventsResponse> CoreApi::ReadEvents(const Credential& credential,
                                                           const v1::ReadEventsRequest& request) {
  return Ask(credential, timeout_, stubs_->event, &v1::EventService::Stub::ReadEvents, request);
}

absl::StatusOr<v1::ReadBatchResponse> CoreApi::ReadBatch(const Credential& credential,
                                                         const v1::ReadBatchRequest& request) {
  return Ask(credential, timeout_, stubs_->mint, &v1::MintService::Stub::ReadBatch, request);
}

absl::StatusOr<v1::GetLogBoundsResponse> CoreApi::GetLogBounds(const Credential& credential) {
  return Ask(credential, timeout_, stubs_->event, &v1::EventService::Stub::GetLogBounds,
             v1::GetLogBoundsRequest());
}

absl::StatusOr<v1::SubmitReadingResponse> CoreApi::SubmitReading(
    const Credential& credential, const v1::SubmitReadingRequest& request) {
  return Ask(credential, timeout_, stubs_->reading, &v1::ReadingService::Stub::SubmitReading,
             request);
}

}  // namespace wattmint::client
