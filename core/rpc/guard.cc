// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/guard.h"

#include "core/access/authorizer.h"
#include "core/base/assert.h"
#include "core/base/status.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <iterator>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::RateClass;
using access::TicketUse;

constexpr MethodRule kRules[] = {
    {"grpc.channelz.v1.Channelz.GetChannel", Permission::kInspectServer, RateClass::kLight},
    {"grpc.channelz.v1.Channelz.GetServer", Permission::kInspectServer, RateClass::kLight},
    {"grpc.channelz.v1.Channelz.GetServerSockets", Permission::kInspectServer, RateClass::kHeavy},
    {"grpc.channelz.v1.Channelz.GetServers", Permission::kInspectServer, RateClass::kLight},
    {"grpc.channelz.v1.Channelz.GetSocket", Permission::kInspectServer, RateClass::kLight},
    {"grpc.channelz.v1.Channelz.GetSubchannel", Permission::kInspectServer, RateClass::kLight},
    {"grpc.channelz.v1.Channelz.GetTopChannels", Permission::kInspectServer, RateClass::kLight},
    {"wattmint.v1.AccessService.CreateApiKey", Permission::kManageKeys, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.AccessService.CreateTicket", Permission::kCreateTicket, RateClass::kLight},
    {"wattmint.v1.AccessService.ListApiKeys", Permission::kManageKeys, RateClass::kLight},
    {"wattmint.v1.AccessService.RevokeApiKey", Permission::kManageKeys, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.AccessService.WhoAmI", Permission::kIdentify, RateClass::kLight, Audit::kNo,
     TicketUse::kRedeem},
    {"wattmint.v1.AlertService.SendAlert", Permission::kSendAlerts, RateClass::kLight, Audit::kYes},
    {"wattmint.v1.AlertService.SendNotification", Permission::kSendAlerts, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.EventService.DryRunSubscription", Permission::kReadEvents, RateClass::kHeavy},
    {"wattmint.v1.EventService.ExplainEvent", Permission::kReadEvents, RateClass::kLight},
    {"wattmint.v1.EventService.GetLogBounds", Permission::kReadEvents, RateClass::kLight},
    {"wattmint.v1.EventService.ReadEvents", Permission::kReadEvents, RateClass::kHeavy},
    {"wattmint.v1.EventService.Subscribe", Permission::kReadEvents, RateClass::kHeavy, Audit::kYes},
    {"wattmint.v1.EventService.SubscribeDynamic", Permission::kReadEvents, RateClass::kHeavy,
     Audit::kYes},
    {"wattmint.v1.MeterService.GetMeter", Permission::kReadMeters, RateClass::kLight},
    {"wattmint.v1.MeterService.ListMeters", Permission::kReadMeters, RateClass::kHeavy},
    {"wattmint.v1.MeterService.RegisterMeter", Permission::kManageMeters, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MeterService.SetMeterKey", Permission::kManageMeters, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MeterService.SetMeterWallet", Permission::kSetMeterWallet, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MeterService.TransferMeter", Permission::kManageMeters, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MintService.DiscardMint", Permission::kManageMints, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MintService.GetBalances", Permission::kReadMints, RateClass::kLight},
    {"wattmint.v1.MintService.GetMint", Permission::kReadMints, RateClass::kLight},
    {"wattmint.v1.MintService.GetSupply", Permission::kReadSupply, RateClass::kLight},
    {"wattmint.v1.MintService.ListMints", Permission::kReadMints, RateClass::kHeavy},
    {"wattmint.v1.MintService.MintReading", Permission::kManageMints, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MintService.PauseMinting", Permission::kManageMints, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MintService.ReadBatch", Permission::kReadEvents, RateClass::kHeavy},
    {"wattmint.v1.MintService.Reconcile", Permission::kManageMints, RateClass::kHeavy, Audit::kYes},
    {"wattmint.v1.MintService.ResumeMinting", Permission::kManageMints, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.MintService.RetryMint", Permission::kManageMints, RateClass::kLight, Audit::kYes},
    {"wattmint.v1.ReadingService.CorrectReading", Permission::kCorrectReadings, RateClass::kLight,
     Audit::kYes},
    {"wattmint.v1.ReadingService.GetReading", Permission::kReadReadings, RateClass::kLight},
    {"wattmint.v1.ReadingService.GetReadingStats", Permission::kReadReadings, RateClass::kHeavy},
    {"wattmint.v1.ReadingService.ListReadings", Permission::kReadReadings, RateClass::kHeavy},
    {"wattmint.v1.ReadingService.StreamReadings", Permission::kSubmitReadings, RateClass::kHeavy},
    {"wattmint.v1.ReadingService.SubmitReading", Permission::kSubmitReadings, RateClass::kLight},
    {"wattmint.v1.ReadingService.SubmitReadings", Permission::kSubmitReadings, RateClass::kHeavy},
    {"wattmint.v1.ReadingService.WithdrawReading", Permission::kCorrectReadings, RateClass::kLight,
     Audit::kYes},
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

const MethodRule& Guard::RuleOf(std::string_view method) const {
  const MethodRule* rule = Find(method);
  WATTMINT_ASSERT(rule != nullptr, "{} has no rule", method);
  return *rule;
}

absl::StatusOr<access::Principal> Guard::Admit(const grpc::CallbackServerContext& context,
                                               const MethodRule& rule) const {
  const access::Credentials credentials{.authorization = MetadataOf(context, "authorization"),
                                        .api_key = MetadataOf(context, "x-api-key")};
  absl::StatusOr<access::Principal> principal =
      authenticator_.Authenticate(credentials, rule.ticket_use);
  if (!principal.ok()) {
    audit_.Refused(rule.method, nullptr, principal.status());
    return principal;
  }
  absl::Status status = limiter_.Take(*principal, rule.rate);
  if (status.ok()) status = access::CheckPermission(*principal, rule.permission);
  if (status.ok()) return principal;
  audit_.Refused(rule.method, &*principal, status);
  return status;
}

}  // namespace wattmint::rpc
