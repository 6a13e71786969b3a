// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_refresh.h"

#include "tests/core/access/status_reason.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/http_server.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::TokenSigner;

// An issuer on the web, and a verifier that follows it.
class KeyRefreshTest : public testing::Test {
 protected:
  ~KeyRefreshTest() override { Stop(); }

  void Publish(const std::vector<const TokenSigner*>& signers) {
    std::vector<nlohmann::json> keys;
    for (const TokenSigner* signer : signers) keys.push_back(signer->PublicJwk());
    issuer_.Serve({.body = test::JwksOf(keys)});
  }

  void Start(base::Duration interval = 1h) {
    auto verifier = JwtVerifier::Open({.key_file = {}, .key_address = issuer_.address()}, clock_);
    ASSERT_THAT(verifier, IsOk());
    verifier_ = *std::move(verifier);
    refresh_ = std::make_unique<KeyRefresh>(
        KeyRefresh::Options{.interval = interval, .token_gap = 10s}, *verifier_, clock_,
        [this] { Note("changed"); },
        [this](const absl::Status& status) { Note(std::string(status.message())); });
    verifier_->OnUnknownKey([this] { return refresh_->OnUnknownKey(); });
    thread_ = std::thread([this] { refresh_->Run(); });
  }

  void Stop() {
    if (refresh_ != nullptr) refresh_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void Note(std::string news) {
    base::MutexLock lock(mutex_);
    news_.push_back(std::move(news));
    changed_.NotifyAll();
  }
  // What was told, once there is so much of it.
  std::vector<std::string> News(std::size_t count) {
    base::MutexLock lock(mutex_);
    changed_.Wait(mutex_, [&]() WATTMINT_REQUIRES(mutex_) { return news_.size() >= count; });
    return news_;
  }

  absl::StatusOr<Principal> Verify(const TokenSigner& signer) {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.Now() + 1h);
    return verifier_->Verify(
        signer.Sign({{"sub", "ada"}, {"exp", expiry.time_since_epoch().count()}}));
  }

  const TokenSigner old_ = TokenSigner::Make("EdDSA", "old");
  const TokenSigner new_ = TokenSigner::Make("EdDSA", "new");
  test::HttpServer issuer_;
  test::FakeClock clock_;
  std::unique_ptr<JwtVerifier> verifier_;
  std::unique_ptr<KeyRefresh> refresh_;
  std::thread thread_;

  base::Mutex mutex_;  // guards the news
  base::CondVar changed_;
  std::vector<std::string> news_ WATTMINT_GUARDED_BY(mutex_);
};

TEST_F(KeyRefreshTest, KeysAreTakenOnSchedule) {
  Publish({&old_});
  Start(1ms);
  ASSERT_THAT(Verify(old_), IsOk());
  Publish({&new_});
  News(1);
  EXPECT_THAT(Verify(new_), IsOk());
  absl::Status refused = Verify(old_).status();
  while (ReasonOf(refused) == "KEY_NOT_YET_KNOWN") refused = Verify(old_).status();  // it looks
  EXPECT_EQ(ReasonOf(refused), "INVALID_TOKEN") << "its key is gone";
}

TEST_F(KeyRefreshTest, ATokenThatNamesANewKeyCausesALook) {
  Publish({&old_});
  Start();
  Publish({&old_, &new_});
  EXPECT_THAT(Verify(new_), HasReason("KEY_NOT_YET_KNOWN")) << "nobody waits for the network";
  EXPECT_EQ(News(1), std::vector<std::string>{"changed"});
  EXPECT_THAT(Verify(new_), IsOk());
  EXPECT_THAT(Verify(old_), IsOk());
}

TEST_F(KeyRefreshTest, TokensCauseNoMoreThanALookInTenSeconds) {
  Publish({&old_});
  Start();
  issuer_.Serve({.status = "500 Oops"});
  EXPECT_THAT(Verify(new_), HasReason("KEY_NOT_YET_KNOWN"));
  News(1);
  for (int i = 0; i < 100; ++i) {
    const TokenSigner stranger = TokenSigner::Make("EdDSA", "kid-" + std::to_string(i));
    ASSERT_THAT(Verify(stranger), HasReason("INVALID_TOKEN"));
  }
  EXPECT_EQ(issuer_.requests().size(), 2u) << "at the start, and one for all tokens";
  clock_.Advance(10s);
  Publish({&new_});
  EXPECT_THAT(Verify(new_), HasReason("KEY_NOT_YET_KNOWN"));
  News(2);
  EXPECT_THAT(Verify(new_), IsOk());
}

TEST_F(KeyRefreshTest, WhileALookIsUnderWayTokensAreAskedToWait) {
  Publish({&old_});
  Start();
  issuer_.Serve({.is_silent = true});
  EXPECT_THAT(Verify(new_), HasReason("KEY_NOT_YET_KNOWN"));
  issuer_.WaitForRequests(2);
  EXPECT_THAT(Verify(new_), HasReason("KEY_NOT_YET_KNOWN"));
  EXPECT_THAT(Verify(old_), IsOk()) << "the network holds nobody up";
}

TEST_F(KeyRefreshTest, TroubleKeepsTheOldKeysAndIsToldOnce) {
  Publish({&old_});
  Start(1ms);
  issuer_.Serve({.status = "500 Oops"});
  News(1);
  issuer_.WaitForRequests(issuer_.requests().size() + 3);
  EXPECT_THAT(Verify(old_), IsOk());
  EXPECT_EQ(News(1).size(), 1u);
  EXPECT_GE(refresh_->state().failed, 2);
  issuer_.Serve({.body = "{}"});
  EXPECT_THAT(News(2)[1], testing::HasSubstr("no JSON Web Key Set"));
  EXPECT_THAT(Verify(old_), IsOk());
  Publish({&new_});
  EXPECT_EQ(News(3)[2], "changed");
}

TEST_F(KeyRefreshTest, WakeLooksAtOnce) {
  Publish({&old_});
  Start();
  Publish({&new_});
  clock_.Advance(1min);
  refresh_->Wake();
  News(1);
  EXPECT_THAT(Verify(new_), IsOk());
  EXPECT_EQ(refresh_->state().last_success, clock_.Now());
}

TEST_F(KeyRefreshTest, StopEndsALookThatHangs) {
  Publish({&old_});
  Start();
  issuer_.Serve({.is_silent = true});
  refresh_->Wake();
  issuer_.WaitForRequests(2);
  const auto start = std::chrono::steady_clock::now();
  Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_FALSE(refresh_->OnUnknownKey());
}

}  // namespace
}  // namespace wattmint::access
