// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "core/rpc/guard.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <string>

namespace wattmint::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using v1::AccessService;
using v1::MintService;

class AccessTest : public testing::Test {
 protected:
  absl::StatusOr<v1::WhoAmIResponse> WhoAmI(const client::Credential& credential) {
    return Call(core_.access(), &AccessService::Stub::WhoAmI, credential, {});
  }
  absl::StatusOr<v1::CreateApiKeyResponse> Create(const v1::CreateApiKeyRequest& request) {
    return Call(core_.access(), &AccessService::Stub::CreateApiKey, core_.admin(), request);
  }
  absl::StatusOr<v1::RevokeApiKeyResponse> Revoke(const std::string& key_id) {
    v1::RevokeApiKeyRequest request;
    request.set_key_id(key_id);
    return Call(core_.access(), &AccessService::Stub::RevokeApiKey, core_.admin(), request);
  }
  static v1::CreateApiKeyRequest GoodKey() {
    v1::CreateApiKeyRequest request;
    request.set_user_id("ada");
    request.add_roles(v1::ROLE_USER);
    return request;
  }

  // Calls any method, by its name, with an empty request.
  absl::Status CallByName(std::string_view method, const client::Credential& credential) {
    std::string path = "/" + std::string(method);
    path[path.rfind('.')] = '/';
    grpc::ClientContext context;
    client::Attach(credential, context);
    client::SetTimeout(std::chrono::seconds(20), context);
    grpc::GenericStub stub(core_.channel());
    grpc::Slice nothing;
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> answer;
    stub.UnaryCall(&context, path, {}, &request, &response,
                   [&answer](grpc::Status status) { answer.set_value(std::move(status)); });
    return client::FromGrpc(answer.get_future().get());
  }

  TestCore core_;
};

TEST_F(AccessTest, NoMethodAnswersWithoutACredential) {
  for (const rpc::MethodRule& rule : rpc::MethodRules()) {
    const absl::Status status = CallByName(rule.method, {});
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated)) << rule.method;
    EXPECT_EQ(access::ReasonOf(status), access::reason::kMissingCredentials) << rule.method;
  }
}

TEST_F(AccessTest, NoMethodAnswersToARoleThatMayNotCallIt) {
  const auto viewer = core_.CreateKey("vic", {v1::ROLE_VIEWER}).credential;
  access::Principal principal;
  principal.roles = {access::Role::kViewer};
  int refused = 0;
  for (const rpc::MethodRule& rule : rpc::MethodRules()) {
    if (access::GrantOf(principal.roles).own.Has(rule.permission)) continue;
    const absl::Status status = CallByName(rule.method, viewer);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied)) << rule.method;
    EXPECT_EQ(access::ReasonOf(status), access::reason::kPermissionMissing) << rule.method;
    ++refused;
  }
  EXPECT_GT(refused, 15);
}

TEST_F(AccessTest, BadCredentialsAreRefusedByName) {
  using client::Credential;
  const auto reason = [this](const Credential& credential) {
    return access::ReasonOf(WhoAmI(credential).status()).value_or("");
  };
  EXPECT_EQ(reason(Credential::ApiKey("wm_12345678_rubbish")), access::reason::kInvalidApiKey);
  EXPECT_EQ(reason(Credential::Bearer("a.b.c")), access::reason::kInvalidToken);
  EXPECT_EQ(reason(Credential::Ticket("rubbish")), access::reason::kInvalidTicket);
}

TEST_F(AccessTest, AKeyWorksAsHeaderAndAsBearer) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER, v1::ROLE_INGEST});
  core_.RegisterMeter("m-1", "ada", WalletAddress(1));
  for (const auto& credential : {key.credential, client::Credential::Bearer(key.credential.text)}) {
    const auto who = WhoAmI(credential);
    ASSERT_THAT(who, IsOk());
    EXPECT_EQ(who->user_id(), "ada");
    EXPECT_EQ(who->key_id(), key.key_id);
    EXPECT_EQ(who->roles_size(), 2);
    ASSERT_EQ(who->wallet_addresses_size(), 1);
    EXPECT_EQ(who->wallet_addresses(0), WalletAddress(1));
  }
}

TEST_F(AccessTest, KeysThatAreNoneAreRefused) {
  const auto refused = [this](auto damage) {
    v1::CreateApiKeyRequest request = GoodKey();
    damage(request);
    return Create(request).status();
  };
  for (const absl::Status& status :
       {refused([](auto& r) { r.set_user_id("no user!"); }),
        refused([](auto& r) { r.clear_roles(); }),
        refused([](auto& r) { r.add_roles(static_cast<v1::Role>(9)); }),
        refused([](auto& r) { r.set_display_name(std::string(101, 'x')); }),
        refused([](auto& r) { r.mutable_expire_time()->set_seconds(1); }),
        refused([](auto& r) { r.mutable_expire_time()->set_nanos(-1); }),
        refused([](auto& r) { r.set_requests_per_second(-1); })}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(AccessTest, KeysAreListedWithoutTheirSecrets) {
  v1::CreateApiKeyRequest request = GoodKey();
  request.set_display_name("gateway 7");
  const auto made = Create(request);
  ASSERT_THAT(made, IsOk());
  ASSERT_THAT(WhoAmI(client::Credential::ApiKey(made->secret())), IsOk());
  v1::ListApiKeysRequest list;
  list.set_user_id("ada");
  const auto keys = Call(core_.access(), &AccessService::Stub::ListApiKeys, core_.admin(), list);
  ASSERT_THAT(keys, IsOk());
  ASSERT_EQ(keys->api_keys_size(), 1);
  EXPECT_EQ(keys->api_keys(0).display_name(), "gateway 7");
  EXPECT_TRUE(keys->api_keys(0).has_last_use_time());
  EXPECT_THAT(keys->ShortDebugString(), Not(HasSubstr(made->secret())));
  EXPECT_THAT(keys->ShortDebugString(), Not(HasSubstr(made->secret().substr(12))));
}

TEST_F(AccessTest, ARevokedKeyIsRefusedForEver) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  ASSERT_THAT(WhoAmI(key.credential), IsOk());
  const auto first = Revoke(key.key_id);
  const auto second = Revoke(key.key_id);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->api_key().revoke_time().seconds(), second->api_key().revoke_time().seconds());
  EXPECT_EQ(access::ReasonOf(WhoAmI(key.credential).status()), access::reason::kRevokedApiKey);
  core_.Restart();
  EXPECT_EQ(access::ReasonOf(WhoAmI(key.credential).status()), access::reason::kRevokedApiKey);
}

TEST_F(AccessTest, UnknownAndLocalKeysCannotBeRevoked) {
  EXPECT_THAT(Revoke("zzzzzzzz"), StatusIs(absl::StatusCode::kNotFound));
  const auto admin = WhoAmI(core_.admin());
  ASSERT_THAT(admin, IsOk());
  EXPECT_THAT(Revoke(admin->key_id()), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(WhoAmI(core_.admin()), IsOk());
}

TEST_F(AccessTest, KeysSurviveARestart) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  core_.Restart();
  EXPECT_THAT(WhoAmI(key.credential), IsOk());
}

TEST_F(AccessTest, TheLastUseOfAKeySurvivesARestart) {
  const auto used = core_.CreateKey("ada", {v1::ROLE_USER});
  core_.CreateKey("ada", {v1::ROLE_USER});  // never used
  ASSERT_THAT(WhoAmI(used.credential), IsOk());
  core_.Restart();
  const auto keys = Call(core_.access(), &AccessService::Stub::ListApiKeys, core_.admin(), {});
  ASSERT_THAT(keys, IsOk());
  for (const v1::ApiKey& key : keys->api_keys()) {
    if (key.user_id() != "ada") continue;
    EXPECT_EQ(key.has_last_use_time(), key.key_id() == used.key_id);
  }
  EXPECT_EQ(keys->api_keys_size(), 4);
}

TEST_F(AccessTest, AdminsHearOfKeys) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  ASSERT_THAT(Revoke(key.key_id), IsOk());
  const auto events = core_.ReadEvents(core_.admin());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_FALSE(events[0].api_key_changed().revoked());
  EXPECT_TRUE(events[1].api_key_changed().revoked());
  EXPECT_EQ(events[1].api_key_changed().key_id(), key.key_id);
  EXPECT_TRUE(core_.ReadEvents(core_.CreateKey("ada", {v1::ROLE_USER}).credential).empty());
}

TEST_F(AccessTest, AKeyMayBeLimitedInItsRate) {
  v1::CreateApiKeyRequest request = GoodKey();
  request.set_requests_per_second(2);
  const auto made = Create(request);
  ASSERT_THAT(made, IsOk());
  const auto credential = client::Credential::ApiKey(made->secret());
  absl::Status last;
  for (int i = 0; i < 20 && last.ok(); ++i) last = WhoAmI(credential).status();
  EXPECT_THAT(last, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(access::ReasonOf(last), access::reason::kRateLimited);
  EXPECT_TRUE(access::RetryAfterOf(last).has_value());
}

TEST_F(AccessTest, ATicketIsGoodOnceAndForOneMethod) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  const auto made = Call(core_.access(), &AccessService::Stub::CreateTicket, key.credential, {});
  ASSERT_THAT(made, IsOk());
  const auto ticket = client::Credential::Ticket(made->ticket());
  EXPECT_EQ(
      access::ReasonOf(Call(core_.mints(), &MintService::Stub::GetSupply, ticket, {}).status()),
      access::reason::kInvalidTicket);
  const auto who = WhoAmI(ticket);
  ASSERT_THAT(who, IsOk());
  EXPECT_EQ(who->user_id(), "ada");
  EXPECT_EQ(access::ReasonOf(WhoAmI(ticket).status()), access::reason::kInvalidTicket);
}

TEST_F(AccessTest, OnlyAnAdminMakesTicketsForOthers) {
  const auto key = core_.CreateKey("ada", {v1::ROLE_USER});
  v1::CreateTicketRequest request;
  request.set_user_id("bob");
  EXPECT_THAT(Call(core_.access(), &AccessService::Stub::CreateTicket, key.credential, request),
              StatusIs(absl::StatusCode::kPermissionDenied));
  const auto made =
      Call(core_.access(), &AccessService::Stub::CreateTicket, core_.admin(), request);
  ASSERT_THAT(made, IsOk());
  const auto who = WhoAmI(client::Credential::Ticket(made->ticket()));
  ASSERT_THAT(who, IsOk());
  EXPECT_EQ(who->user_id(), "bob");
  ASSERT_EQ(who->roles_size(), 1);
  EXPECT_EQ(who->roles(0), v1::ROLE_USER);
  request.set_user_id("no user!");
  EXPECT_THAT(Call(core_.access(), &AccessService::Stub::CreateTicket, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wattmint::test
