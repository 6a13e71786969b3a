// SPDX-License-Identifier: Apache-2.0
#include "core/access/authenticator.h"

#include "core/access/api_key.h"
#include "core/base/random.h"
#include "tests/core/access/status_reason.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::StatusIs;

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    const JwtOptions options{.key_file = directory_ / "keys.json"};
    std::ofstream(options.key_file) << test::JwksOf({signer_.PublicJwk()});
    auto jwt = JwtVerifier::Open(options, clock_);
    EXPECT_THAT(jwt, IsOk());
    jwt_ = *std::move(jwt);
    authenticator_.emplace(jwt_.get(), api_keys_, tickets_, clock_, Anonymity::kRefused);
    key_ = MakeApiKey(random_);
    record_.key_id = key_.key_id;
    record_.sha256 = key_.sha256;
    record_.user_id = "bob";
    record_.roles = RoleSet{Role::kIngest}.bits();
    api_keys_.Put(record_);
  }

  std::string Token() {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.Now() + 1h);
    return signer_.Sign({{"sub", "alice"}, {"exp", expiry.time_since_epoch().count()}});
  }

  absl::StatusOr<Principal> Authorize(const std::string& authorization,
                                      TicketUse ticket_use = TicketUse::kRefuse) {
    return authenticator_->Authenticate({.authorization = authorization, .api_key = {}},
                                        ticket_use);
  }

  const test::TokenSigner signer_ = test::TokenSigner::Make("EdDSA", "ed");
  test::TempDir directory_;
  test::FakeClock clock_;
  base::SystemRandom random_;
  ApiKeyTable api_keys_{clock_};
  TicketTable tickets_{{}, clock_, random_};
  std::unique_ptr<JwtVerifier> jwt_;
  std::optional<Authenticator> authenticator_;
  NewApiKey key_;
  store::ApiKeyRecord record_;
};

TEST_F(AuthenticatorTest, BearerMayBeATokenOrAnApiKey) {
  EXPECT_EQ(Authorize("Bearer " + Token())->user_id, "alice");
  EXPECT_EQ(Authorize("Bearer " + key_.text)->user_id, "bob");
}

TEST_F(AuthenticatorTest, ApiKeyMayStandByItself) {
  const auto principal =
      authenticator_->Authenticate({.authorization = {}, .api_key = key_.text}, TicketUse::kRefuse);
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(principal->key_id, key_.key_id);
  EXPECT_THAT(
      authenticator_->Authenticate({.authorization = {}, .api_key = Token()}, TicketUse::kRefuse),
      HasReason("INVALID_API_KEY"));
}

TEST_F(AuthenticatorTest, AuthorizationWinsOverApiKey) {
  const std::string authorization = "Bearer " + Token();
  EXPECT_EQ(
      authenticator_
          ->Authenticate({.authorization = authorization, .api_key = key_.text}, TicketUse::kRefuse)
          ->user_id,
      "alice");
  EXPECT_THAT(authenticator_->Authenticate(
                  {.authorization = "Bearer nonsense", .api_key = key_.text}, TicketUse::kRefuse),
              HasReason("INVALID_TOKEN"));
}

TEST_F(AuthenticatorTest, SchemeIsOfAnyCaseAndAnyNumberOfBlanksFollows) {
  for (const char* scheme : {"bearer ", "BEARER ", "BeArEr   "}) {
    EXPECT_THAT(Authorize(scheme + Token()), IsOk()) << scheme;
  }
}

TEST_F(AuthenticatorTest, NothingUsableIsMissing) {
  const std::string unusable[] = {"",       "Bearer", "Bearer ",           "Basic YTpi",
                                  "Ticket", "Bear",   "Bearerx" + Token(), Token()};
  for (const std::string& authorization : unusable) {
    const auto principal = Authorize(authorization);
    EXPECT_THAT(principal, StatusIs(absl::StatusCode::kUnauthenticated)) << authorization;
    EXPECT_THAT(principal, HasReason("MISSING_CREDENTIALS")) << authorization;
  }
}

TEST_F(AuthenticatorTest, BadCredentialsAreNamedByKind) {
  EXPECT_THAT(Authorize("Bearer nonsense"), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Authorize("Bearer wm_nonsense"), HasReason("INVALID_API_KEY"));
  EXPECT_THAT(Authorize("Ticket nonsense", TicketUse::kRedeem), HasReason("INVALID_TICKET"));
}

TEST_F(AuthenticatorTest, TokensAreRefusedWhereNoKeysAreConfigured) {
  const std::string token = Token();
  authenticator_.emplace(nullptr, api_keys_, tickets_, clock_, Anonymity::kRefused);
  EXPECT_THAT(Authorize("Bearer " + token), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Authorize("Bearer " + key_.text), IsOk());
}

TEST_F(AuthenticatorTest, WhoBringsNothingIsAViewerWhereThatIsAllowed) {
  authenticator_.emplace(jwt_.get(), api_keys_, tickets_, clock_, Anonymity::kViewer);
  const auto principal = Authorize("");
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(principal->user_id, "");
  EXPECT_EQ(principal->roles, RoleSet{Role::kViewer});
  EXPECT_EQ(principal->credential, CredentialKind::kNone);
  EXPECT_THAT(authenticator_->CheckCurrent(*principal), IsOk());
  EXPECT_THAT(Authorize("Bearer nonsense"), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Authorize("Basic YTpi"), HasReason("MISSING_CREDENTIALS"));
}

TEST_F(AuthenticatorTest, TicketIsTakenOnlyWhereItIsAskedFor) {
  const auto alice = Authorize("Bearer " + Token());
  ASSERT_THAT(alice, IsOk());
  const std::string ticket = "Ticket " + tickets_.Issue(*alice)->text;
  EXPECT_THAT(Authorize(ticket), HasReason("INVALID_TICKET"));
  const auto redeemed = Authorize(ticket, TicketUse::kRedeem);
  ASSERT_THAT(redeemed, IsOk()) << "a refusal does not use it up";
  EXPECT_EQ(*redeemed, *alice);
  EXPECT_THAT(Authorize(ticket, TicketUse::kRedeem), HasReason("INVALID_TICKET"));
}

TEST_F(AuthenticatorTest, TicketOfARevokedKeyIsRefused) {
  const auto bob = Authorize("Bearer " + key_.text);
  ASSERT_THAT(bob, IsOk());
  const std::string ticket = "Ticket " + tickets_.Issue(*bob)->text;
  record_.revoke_time = clock_.Now();
  api_keys_.Put(record_);
  EXPECT_THAT(Authorize(ticket, TicketUse::kRedeem), HasReason("REVOKED_API_KEY"));
}

TEST_F(AuthenticatorTest, TicketIsNoRequestOfItsKey) {
  record_.requests_per_second = 1;
  api_keys_.Put(record_);
  const auto bob = Authorize("Bearer " + key_.text);
  ASSERT_THAT(bob, IsOk());
  const std::string ticket = "Ticket " + tickets_.Issue(*bob)->text;
  EXPECT_THAT(Authorize("Bearer " + key_.text), HasReason("RATE_LIMITED"));
  EXPECT_THAT(Authorize(ticket, TicketUse::kRedeem), IsOk());
}

TEST_F(AuthenticatorTest, TokenPrincipalIsCurrentUntilItExpires) {
  const auto alice = Authorize("Bearer " + Token());
  ASSERT_THAT(alice, IsOk());
  clock_.SetNow(*alice->expires_at - 1us);
  EXPECT_THAT(authenticator_->CheckCurrent(*alice), IsOk());
  clock_.SetNow(*alice->expires_at);
  EXPECT_THAT(authenticator_->CheckCurrent(*alice), HasReason("EXPIRED_TOKEN"));
}

TEST_F(AuthenticatorTest, TokenPrincipalIsCurrentUntilTheKeyOfItsTokenIsGone) {
  const auto alice = Authorize("Bearer " + Token());
  ASSERT_THAT(alice, IsOk());
  const std::string ticket = "Ticket " + tickets_.Issue(*alice)->text;
  const std::string for_carol = "Ticket " + tickets_.Issue(OnBehalfOf(*alice, "carol"))->text;
  const auto other = test::TokenSigner::Make("EdDSA", "other");
  std::ofstream(directory_ / "keys.json") << test::JwksOf({other.PublicJwk()});
  ASSERT_THAT(jwt_->Reload(), IsOk());
  EXPECT_THAT(authenticator_->CheckCurrent(*alice), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Authorize(ticket, TicketUse::kRedeem), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Authorize(for_carol, TicketUse::kRedeem), HasReason("INVALID_TOKEN"));
}

TEST_F(AuthenticatorTest, KeyPrincipalIsCurrentUntilItsKeyIsNot) {
  record_.expire_time = clock_.Now() + 1h;
  api_keys_.Put(record_);
  const auto bob = Authorize("Bearer " + key_.text);
  ASSERT_THAT(bob, IsOk());
  EXPECT_THAT(authenticator_->CheckCurrent(*bob), IsOk());
  clock_.Advance(1h);
  EXPECT_THAT(authenticator_->CheckCurrent(*bob), HasReason("EXPIRED_API_KEY"));
  record_.revoke_time = clock_.Now();
  api_keys_.Put(record_);
  EXPECT_THAT(authenticator_->CheckCurrent(*bob), HasReason("REVOKED_API_KEY"));
}

}  // namespace
}  // namespace wattmint::access
