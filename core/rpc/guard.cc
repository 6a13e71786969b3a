// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/guard.h"

#include "core/access/authorizer.h"
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <google/protobuf/descriptor.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::TicketUse;

constexpr MethodRule kRules[] = {
    {"wattmint.v1.AccessService.CreateApiKey", Permission::kManageKeys, Audit::kYes},
    {"wattmint.v1.AccessService.CreateTicket", Permission::kCreateTicket},
    {"wattmint.v1.AccessService.ListApiKeys", Permission::kManageKeys},
    {"wattmint.v1.AccessService.RevokeApiKey", Permission::kManageKeys, Audit::kYes},
    {"wattmint.v1.AccessService.WhoAmI", Permission::kIdentify, Audit::kNo, TicketUse::kRedeem},
    {"wattmint.v1.EventService.DryRunSubscription", Permission::kReadEvents},
    {"wattmint.v1.EventService.ExplainEvent", Permission::kReadEvents},
    {"wattmint.v1.EventService.GetLogBounds", Permission::kReadEvents},
    {"wattmint.v1.EventService.ReadEvents", Permission::kReadEvents},
    {"wattmint.v1.EventService.Subscribe", Permission::kReadEvents, Audit::kYes},
    {"wattmint.v1.EventService.SubscribeDynamic", Permission::kReadEvents, Audit::kYes},
    {"wattmint.v1.MeterService.GetMeter", Permission::kReadMeters},
    {"wattmint.v1.MeterService.ListMeters", Permission::kReadMeters},
    {"wattmint.v1.MeterService.RegisterMeter", Permission::kManageMeters, Audit::kYes},
    {"wattmint.v1.MeterService.SetMeterKey", Permission::kManageMeters, Audit::kYes},
    {"wattmint.v1.MeterService.SetMeterWallet", Permission::kSetMeterWallet, Audit::kYes},
    {"wattmint.v1.MeterService.TransferMeter", Permission::kManageMeters, Audit::kYes},
    {"wattmint.v1.MintService.DiscardMint", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.MintService.GetBalances", Permission::kReadMints},
    {"wattmint.v1.MintService.GetMint", Permission::kReadMints},
    {"wattmint.v1.MintService.GetSupply", Permission::kReadSupply},
    {"wattmint.v1.MintService.ListMints", Permission::kReadMints},
    {"wattmint.v1.MintService.MintReading", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.MintService.PauseMinting", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.MintService.Reconcile", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.MintService.ResumeMinting", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.MintService.RetryMint", Permission::kManageMints, Audit::kYes},
    {"wattmint.v1.ReadingService.CorrectReading", Permission::kCorrectReadings, Audit::kYes},
    {"wattmint.v1.ReadingService.GetReading", Permission::kReadReadings},
    {"wattmint.v1.ReadingService.GetReadingStats", Permission::kReadReadings},
    {"wattmint.v1.ReadingService.ListReadings", Permission::kReadReadings},
    {"wattmint.v1.ReadingService.StreamReadings", Permission::kSubmitReadings},
    {"wattmint.v1.ReadingService.SubmitReading", Permission::kSubmitReadings},
    {"wattmint.v1.ReadingService.SubmitReadings", Permission::kSubmitReadings},
    {"wattmint.v1.ReadingService.WithdrawReading", Permission::kCorrectReadings, Audit::kYes},
};
static_assert(std::is_sorted(std::begin(kRules), std::end(kRules),
                             [](const MethodRule& a, const MethodRule& b) {
                               return a.method < b.method;
                             }));

std::string_view MetadataOf(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

// The key id tells who it was to whoever may look it up, and nothing to anybody else.
std::string CallerName(const access::Principal& principal) {
  switch (principal.credential) {
    case access::CredentialKind::kApiKey:
      return "API key " + principal.key_id;
    case access::CredentialKind::kJwt:
      return "a token";
    case access::CredentialKind::kNone:
      break;
  }
  return "anybody";
}

}  // namespace

std::span<const MethodRule> MethodRules() { return kRules; }

const MethodRule* Guard::Find(std::string_view method) const {
  const auto rule =
      std::lower_bound(rules_.begin(), rules_.end(), method,
                       [](const MethodRule& a, std::string_view name) { return a.method < name; });
  return rule != rules_.end() && rule->method == method ? &*rule : nullptr;
}

absl::Status Guard::CheckComplete(
    std::span<const google::protobuf::ServiceDescriptor* const> services) const {
  for (const auto* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string& method = service->method(i)->full_name();
      if (Find(method) == nullptr) {
        return base::FailedPrecondition("method {} has no rule that says who may call it", method);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<access::Principal> Guard::Admit(const grpc::CallbackServerContext& context,
                                               std::string_view method) const {
  const MethodRule* rule = Find(method);
  WATTMINT_ASSERT(rule != nullptr, "{} has no rule", method);
  const access::Credentials credentials{.authorization = MetadataOf(context, "authorization"),
                                        .api_key = MetadataOf(context, "x-api-key")};
  WATTMINT_ASSIGN_OR_RETURN(access::Principal principal,
                            authenticator_.Authenticate(credentials, rule->ticket_use));
  WATTMINT_RETURN_IF_ERROR(access::CheckPermission(principal, rule->permission));
  if (rule->audit == Audit::kYes) {
    spdlog::info("audit: {} by {}", rule->method, CallerName(principal));
  }
  return principal;
}

}  // namespace wattmint::rpc
