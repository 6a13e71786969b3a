// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key_table.h"
#include "core/access/key_keeper.h"
#include "core/access/ticket_table.h"
#include "core/rpc/calls.h"
#include "core/store/meter_registry.h"
#include "wattmint/v1/access.grpc.pb.h"

namespace wattmint::rpc {

// Credentials: wattmint/v1/access.proto.
// Lifetime: everything passed to the constructor must outlive it.
class AccessService final : public v1::AccessService::CallbackService {
 public:
  AccessService(Calls& calls, access::KeyKeeper& keeper, access::ApiKeyTable& keys,
                access::TicketTable& tickets, const store::MeterRegistry& registry)
      : calls_(calls), keeper_(keeper), keys_(keys), tickets_(tickets), registry_(registry) {}

  grpc::ServerUnaryReactor* CreateApiKey(grpc::CallbackServerContext* context,
                                         const v1::CreateApiKeyRequest* request,
                                         v1::CreateApiKeyResponse* response) override;
  grpc::ServerUnaryReactor* ListApiKeys(grpc::CallbackServerContext* context,
                                        const v1::ListApiKeysRequest* request,
                                        v1::ListApiKeysResponse* response) override;
  grpc::ServerUnaryReactor* RevokeApiKey(grpc::CallbackServerContext* context,
                                         const v1::RevokeApiKeyRequest* request,
                                         v1::RevokeApiKeyResponse* response) override;
  grpc::ServerUnaryReactor* CreateTicket(grpc::CallbackServerContext* context,
                                         const v1::CreateTicketRequest* request,
                                         v1::CreateTicketResponse* response) override;
  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context,
                                   const v1::WhoAmIRequest* request,
                                   v1::WhoAmIResponse* response) override;

 private:
  absl::StatusOr<v1::CreateTicketResponse> MakeTicket(const access::Principal& principal,
                                                      const v1::CreateTicketRequest& asked);
  v1::WhoAmIResponse Describe(const access::Principal& principal) const;

  Calls& calls_;
  access::KeyKeeper& keeper_;
  access::ApiKeyTable& keys_;
  access::TicketTable& tickets_;
  const store::MeterRegistry& registry_;
};

}  // namespace wattmint::rpc
