// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens against the whole core, while their keys change.
#include "core/access/reason.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/event_reader.h"
#include "tests/support/http_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using namespace std::chrono_literals;
using v1::AccessService;

class TokensTest : public testing::Test {
 protected:
  TokensTest() {
    Publish({&old_});
    auto jwt =
        access::JwtVerifier::Open({.key_file = {}, .key_address = issuer_.address()}, clock_);
    EXPECT_THAT(jwt, IsOk());
    jwt_ = *std::move(jwt);
    core_ = std::make_unique<TestCore>(TestCore::Defaults(), jwt_.get());
  }

  void Publish(const std::vector<const TokenSigner*>& signers) {
    std::vector<nlohmann::json> keys;
    for (const TokenSigner* signer : signers) keys.push_back(signer->PublicJwk());
    issuer_.Serve({.body = JwksOf(keys)});
  }

  client::Credential TokenOf(const TokenSigner& signer, const std::string& user = "ada",
                             const std::string& role = "user") {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.Now() + 1h);
    return client::Credential::Bearer(
        signer.Sign({{"sub", user}, {"role", role}, {"exp", expiry.time_since_epoch().count()}}));
  }

  absl::Status WhoAmI(const client::Credential& credential) {
    return Call(core_->access(), &AccessService::Stub::WhoAmI, credential, {}).status();
  }

  const TokenSigner old_ = TokenSigner::Make("EdDSA", "old");
  const TokenSigner new_ = TokenSigner::Make("EdDSA", "new");
  HttpServer issuer_;
  base::SystemClock clock_;
  std::unique_ptr<access::JwtVerifier> jwt_;
  std::unique_ptr<TestCore> core_;
};

TEST_F(TokensTest, ATokenOfANewKeyIsGoodAMomentLater) {
  Publish({&old_, &new_});
  const auto token = TokenOf(new_);
  const absl::Status first = WhoAmI(token);
  EXPECT_THAT(first, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(first), access::reason::kKeyNotYetKnown);
  EXPECT_EQ(access::RetryAfterOf(first), 1s);
  // Until the look is over the answer stays the same.
  absl::Status status = first;
  while (absl::IsUnavailable(status)) status = WhoAmI(token);
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(WhoAmI(TokenOf(old_)), IsOk());
}

TEST_F(TokensTest, WithItsKeyATokenAndEverythingThatCameByItEnd) {
  core_->RegisterMeter("m-1", "ada", WalletAddress(1));
  const auto by_old = TokenOf(old_);
  const auto made = Call(core_->access(), &AccessService::Stub::CreateTicket, by_old, {});
  ASSERT_THAT(made, IsOk());
  const auto key = core_->CreateKey("ada", {v1::ROLE_USER}).credential;
  EventReader by_key(core_->events(), key, FromSequence(1));
  EventReader by_token(core_->events(), by_old, FromSequence(1));
  grpc::ClientContext context;
  client::Attach(by_old, context);
  client::SetTimeout(20s, context);
  const auto readings = core_->readings().StreamReadings(&context);
  v1::StreamReadingsRequest batch;
  *batch.add_readings() = QuarterHour("m-1", 1, "1.5");
  ASSERT_TRUE(readings->Write(batch));
  v1::StreamReadingsResponse answer;
  ASSERT_TRUE(readings->Read(&answer));
  ASSERT_TRUE(by_token.SkipTo(v1::SubscribeResponse::kCaughtUp));
  ASSERT_TRUE(by_key.SkipTo(v1::SubscribeResponse::kCaughtUp));

  Publish({&new_});
  core_->app().Reload();
  const auto start = std::chrono::steady_clock::now();
  for (const absl::Status& end : {by_token.Finish(), client::FromGrpc(readings->Finish())}) {
    EXPECT_THAT(end, StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_EQ(access::ReasonOf(end), access::reason::kInvalidToken);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s) << "not at the end of the token";
  absl::Status refused = WhoAmI(by_old);
  while (absl::IsUnavailable(refused)) refused = WhoAmI(by_old);  // its key is looked for
  EXPECT_EQ(access::ReasonOf(refused), access::reason::kInvalidToken);
  EXPECT_EQ(access::ReasonOf(WhoAmI(client::Credential::Ticket(made->ticket()))),
            access::reason::kInvalidToken);
  EXPECT_THAT(WhoAmI(TokenOf(new_)), IsOk());
  core_->Submit(QuarterHour("m-1", 2, "1.5"));
  EXPECT_GE(by_key.ReadEvents(by_key.events().size() + 1).size(), 2u) << "other streams live on";
}

}  // namespace
}  // namespace wattmint::test
