// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/setting_layers.h"
#include "core/client/channel.h"

#include <absl/status/statusor.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace wattmint::cli {

// Where the core is: --core, else what the data directory names, else the usual place; with TLS if
// there are certificates to check it with. Errors: kInvalidArgument for files of TLS.
absl::StatusOr<client::ChannelOptions> FindCore(const ResolvedSettings& settings);

// The credential of the highest layer that names one. Nothing if none does.
// Errors: kInvalidArgument for two in one layer; those of their files.
absl::StatusOr<std::optional<client::Credential>> FindCredential(const ResolvedSettings& settings);

// A command's way to the core: where it is, and as whom it is called.
// Threads: any.
class CoreLink {
 public:
  static constexpr std::chrono::seconds kCallTimeout{30};

  // Finds the core and a credential: that of the settings, else the local admin's. Does not connect
  // yet. Errors: kInvalidArgument if there is no credential; those of FindCredential().
  static absl::StatusOr<CoreLink> Open(const ResolvedSettings& settings);

  // Makes one call, by the method of a stub:
  //   link.Call(&v1::MeterService::Stub::GetMeter, request);
  // Errors: of Explain().
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request,
                                std::chrono::seconds timeout = kCallTimeout) const {
    grpc::ClientContext context;
    Prepare(timeout, context);
    Response response;
    const grpc::Status status = (Stub(channel_).*method)(&context, request, &response);
    if (!status.ok()) return Explain(client::FromGrpc(status));
    return response;
  }

  // The same status as a sentence for who typed the command: what, which core, what to do.
  // REQUIRES: !status.ok().
  absl::Status Explain(const absl::Status& status) const;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const client::Credential& credential() const { return credential_; }
  const std::string& address() const { return address_; }

 private:
  CoreLink(const client::ChannelOptions& core, client::Credential credential);
  void Prepare(std::chrono::seconds timeout, grpc::ClientContext& context) const;

  std::string address_;
  client::Credential credential_;
  std::shared_ptr<grpc::Channel> channel_;  // shared: gRPC's stubs and calls hold it as well
};

}  // namespace wattmint::cli
