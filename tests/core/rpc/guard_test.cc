// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/guard.h"

#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"
#include "wattmint/v1/access.pb.h"
#include "wattmint/v1/alert.pb.h"
#include "wattmint/v1/event.pb.h"
#include "wattmint/v1/meter.pb.h"
#include "wattmint/v1/mint.pb.h"
#include "wattmint/v1/reading.pb.h"

#include "grpc/channelz/v1/channelz.pb.h"
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace wattmint::rpc {
namespace {

using google::protobuf::ServiceDescriptor;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

std::vector<const ServiceDescriptor*> AllServices() {
  std::vector<const ServiceDescriptor*> services;
  for (const auto* file :
       {grpc::channelz::v1::Server::descriptor()->file(), v1::ApiKey::descriptor()->file(),
        v1::Event::descriptor()->file(), v1::Meter::descriptor()->file(),
        v1::MintTask::descriptor()->file(), v1::Reading::descriptor()->file(),
        v1::SendAlertRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

class GuardTest : public testing::Test {
 protected:
  test::FakeClock clock_;
  test::SeededRandom random_{1};
  access::ApiKeyTable keys_{clock_};
  access::TicketTable tickets_{{}, clock_, random_};
  access::Authenticator authenticator_{nullptr, keys_, tickets_, clock_,
                                       access::Anonymity::kRefused};
  access::UserLimiter limiter_{0, clock_};
  access::AuditLog audit_{"core", {}, clock_, [](std::string_view) {}};
};

TEST_F(GuardTest, EveryMethodHasARule) {
  EXPECT_THAT(Guard(MethodRules(), authenticator_, limiter_, audit_).CheckComplete(AllServices()),
              IsOk());
}

TEST_F(GuardTest, AMethodWithoutARuleIsRefusedByName) {
  for (const MethodRule& missing : MethodRules()) {
    std::vector<MethodRule> rules;
    for (const MethodRule& rule : MethodRules()) {
      if (rule.method != missing.method) rules.push_back(rule);
    }
    EXPECT_THAT(
        Guard(rules, authenticator_, limiter_, audit_).CheckComplete(AllServices()),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(std::string(missing.method))));
  }
}

TEST_F(GuardTest, EveryRuleHasAMethod) {
  std::set<std::string, std::less<>> methods;
  for (const ServiceDescriptor* service : AllServices()) {
    for (int i = 0; i < service->method_count(); ++i)
      methods.insert(service->method(i)->full_name());
  }
  for (const MethodRule& rule : MethodRules()) EXPECT_TRUE(methods.contains(rule.method));
  EXPECT_EQ(methods.size(), MethodRules().size());
}

TEST_F(GuardTest, TicketsAreGoodForOneMethodOnly) {
  for (const MethodRule& rule : MethodRules()) {
    EXPECT_EQ(rule.ticket_use == access::TicketUse::kRedeem,
              rule.method == "wattmint.v1.AccessService.WhoAmI")
        << rule.method;
  }
}

TEST_F(GuardTest, WhatChangesMintsKeysOrMetersIsAudited) {
  for (const MethodRule& rule : MethodRules()) {
    const bool changes = rule.permission == access::Permission::kManageMints ||
                         rule.permission == access::Permission::kManageMeters ||
                         rule.permission == access::Permission::kSetMeterWallet ||
                         rule.method.ends_with("CreateApiKey") ||
                         rule.method.ends_with("RevokeApiKey");
    EXPECT_TRUE(!changes || rule.audit == Audit::kYes) << rule.method;
  }
}

}  // namespace
}  // namespace wattmint::rpc
