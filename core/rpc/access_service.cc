// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/access_service.h"

#include "core/access/authorizer.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/rpc/converters.h"
#include "core/wire/convert.h"

#include <utility>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;

absl::StatusOr<access::KeyOrder> OrderOf(const v1::CreateApiKeyRequest& asked) {
  access::KeyOrder order;
  order.user_id = asked.user_id();
  WATTMINT_ASSIGN_OR_RETURN(order.roles, RolesFromProto(asked.roles()));
  order.display_name = asked.display_name();
  order.requests_per_second = asked.requests_per_second();
  if (asked.has_expire_time()) {
    order.expire_time = TimeFromProto(asked.expire_time());
    if (!order.expire_time.has_value()) return BadField("expire_time", "is no time");
  }
  return order;
}

}  // namespace

grpc::ServerUnaryReactor* AccessService::CreateApiKey(grpc::CallbackServerContext* context,
                                                      const v1::CreateApiKeyRequest* request,
                                                      v1::CreateApiKeyResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.AccessService.CreateApiKey", request, response,
      [this](const Principal&, const v1::CreateApiKeyRequest& asked,
             Answer<v1::CreateApiKeyResponse> answer) {
        const auto order = OrderOf(asked);
        if (!order.ok()) return answer(order.status());
        keeper_.Create(*order, [answer = std::move(answer)](auto created) {
          if (!created.ok()) return answer(created.status());
          v1::CreateApiKeyResponse given;
          *given.mutable_api_key() = ToProto({std::move(created->record), std::nullopt});
          given.set_secret(std::move(created->text));
          answer(std::move(given));
        });
      });
}

grpc::ServerUnaryReactor* AccessService::ListApiKeys(grpc::CallbackServerContext* context,
                                                     const v1::ListApiKeysRequest* request,
                                                     v1::ListApiKeysResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.AccessService.ListApiKeys", request, response,
      [this](const Principal&,
             const v1::ListApiKeysRequest& asked) -> absl::StatusOr<v1::ListApiKeysResponse> {
        v1::ListApiKeysResponse given;
        for (const auto& key : keys_.List(asked.user_id())) {
          *given.add_api_keys() = ToProto(key);
        }
        return given;
      });
}

grpc::ServerUnaryReactor* AccessService::RevokeApiKey(grpc::CallbackServerContext* context,
                                                      const v1::RevokeApiKeyRequest* request,
                                                      v1::RevokeApiKeyResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.AccessService.RevokeApiKey", request, response,
      [this](const Principal&, const v1::RevokeApiKeyRequest& asked,
             Answer<v1::RevokeApiKeyResponse> answer) {
        keeper_.Revoke(asked.key_id(), [answer = std::move(answer)](auto revoked) {
          if (!revoked.ok()) return answer(revoked.status());
          v1::RevokeApiKeyResponse given;
          *given.mutable_api_key() = ToProto({*std::move(revoked), std::nullopt});
          answer(std::move(given));
        });
      });
}

grpc::ServerUnaryReactor* AccessService::CreateTicket(grpc::CallbackServerContext* context,
                                                      const v1::CreateTicketRequest* request,
                                                      v1::CreateTicketResponse* response) {
  return calls_.Serve(context, "wattmint.v1.AccessService.CreateTicket", request, response,
                      [this](const Principal& principal, const v1::CreateTicketRequest& asked) {
                        return MakeTicket(principal, asked);
                      });
}

absl::StatusOr<v1::CreateTicketResponse> AccessService::MakeTicket(
    const Principal& principal, const v1::CreateTicketRequest& asked) {
  Principal holder = principal;
  if (!asked.user_id().empty()) {
    WATTMINT_RETURN_IF_ERROR(access::CheckPermission(principal, Permission::kCreateTicketForUser));
    if (!domain::IsUserId(asked.user_id())) return BadField("user_id", "is no user id");
    holder = access::OnBehalfOf(principal, asked.user_id());
  }
  WATTMINT_ASSIGN_OR_RETURN(const access::TicketTable::Ticket ticket, tickets_.Issue(holder));
  v1::CreateTicketResponse given;
  given.set_ticket(ticket.text);
  wire::ToProto(ticket.expires_at, *given.mutable_expire_time());
  return given;
}

grpc::ServerUnaryReactor* AccessService::WhoAmI(grpc::CallbackServerContext* context,
                                                const v1::WhoAmIRequest* request,
                                                v1::WhoAmIResponse* response) {
  return calls_.Serve(context, "wattmint.v1.AccessService.WhoAmI", request, response,
                      [this](const Principal& principal, const v1::WhoAmIRequest&) {
                        return absl::StatusOr<v1::WhoAmIResponse>(Describe(principal));
                      });
}

v1::WhoAmIResponse AccessService::Describe(const Principal& principal) const {
  v1::WhoAmIResponse given;
  given.set_user_id(principal.user_id);
  RolesToProto(principal.roles, *given.mutable_roles());
  if (principal.expires_at) wire::ToProto(*principal.expires_at, *given.mutable_expire_time());
  given.set_key_id(principal.key_id);
  for (std::string& wallet : registry_.WalletsOf(principal.user_id)) {
    given.add_wallet_addresses(std::move(wallet));
  }
  return given;
}

}  // namespace wattmint::rpc
