// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/authenticator.h"
#include "core/access/permission.h"
#include "core/access/principal.h"

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
  Audit audit = Audit::kNo;  // whether a call is written to the audit log
  access::TicketUse ticket_use = access::TicketUse::kRefuse;
};

// The rules of every method that this server has.
std::span<const MethodRule> MethodRules();

// Stands before every method: who calls, may they, and not too often.
//
// Threads: any. Lifetime: rules and authenticator must outlive it.
class Guard {
 public:
  Guard(std::span<const MethodRule> rules, access::Authenticator& authenticator)
      : rules_(rules), authenticator_(authenticator) {}

  // kFailedPrecondition with the name of a method of these services that has no rule: such a server
  // must not start.
  absl::Status CheckComplete(
      std::span<const google::protobuf::ServiceDescriptor* const> services) const;

  // The caller, who may call `method`. Errors: of Authenticator and CheckPermission().
  // REQUIRES: `method` has a rule.
  absl::StatusOr<access::Principal> Admit(const grpc::CallbackServerContext& context,
                                          std::string_view method) const;

 private:
  const MethodRule* Find(std::string_view method) const;

  const std::span<const MethodRule> rules_;
  access::Authenticator& authenticator_;
};

}  // namespace wattmint::rpc
