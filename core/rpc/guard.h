// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/audit_log.h"
#include "core/access/authenticator.h"
#include "core/access/permission.h"
#include "core/access/principal.h"
#include "core/access/user_limiter.h"

#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>

#include <span>
#include <string_view>
#include <vector>

namespace google::protobuf {
class ServiceDescriptor;
}

namespace wattmint::rpc {

enum class Audit { kNo, kYes };

// What a method asks of its caller.
struct MethodRule {
  std::string_view method;  // such as "wattmint.v1.MintService.RetryMint"
  access::Permission permission = access::Permission::kIdentify;
  access::RateClass rate = access::RateClass::kLight;
  Audit audit = Audit::kNo;  // whether a call is written to the audit log
  access::TicketUse ticket_use = access::TicketUse::kRefuse;
};

// The rules of every method that this server has.
std::span<const MethodRule> MethodRules();

// Stands before every method: who calls, may they, and not too often.
//
// Threads: any. Lifetime: everything passed to the constructor must outlive it.
class Guard {
 public:
  Guard(std::span<const MethodRule> rules, access::Authenticator& authenticator,
        access::UserLimiter& limiter, access::AuditLog& audit)
      : rules_(rules), authenticator_(authenticator), limiter_(limiter), audit_(audit) {}

  // kFailedPrecondition with the name of a method of these services that has no rule: such a server
  // must not start.
  absl::Status CheckComplete(
      std::span<const google::protobuf::ServiceDescriptor* const> services) const;

  // REQUIRES: `method` has a rule.
  const MethodRule& RuleOf(std::string_view method) const;

  // The caller, who may call a method with that rule; a refusal is audited. Errors: of
  // Authenticator, UserLimiter and CheckPermission().
  absl::StatusOr<access::Principal> Admit(const grpc::CallbackServerContext& context,
                                          const MethodRule& rule) const;

 private:
  const MethodRule* Find(std::string_view method) const;

  const std::span<const MethodRule> rules_;
  access::Authenticator& authenticator_;
  access::UserLimiter& limiter_;
  access::AuditLog& audit_;
};

}  // namespace wattmint::rpc
