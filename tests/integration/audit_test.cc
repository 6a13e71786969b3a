// SPDX-License-Identifier: Apache-2.0
// What the whole core writes down about its callers, and what it lets them take.
#include "core/access/audit_log.h"
#include "core/access/reason.h"
#include "core/base/mutex.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/event_reader.h"
#include "tests/support/http_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using v1::AccessService;
using v1::EventService;
using v1::MeterService;
using v1::MintService;
using v1::ReadingService;

class AuditTest : public testing::Test {
 protected:
  TestCore& Core() {
    if (core_ == nullptr) {
      options_.audit_sink = [this](std::string_view line) {
        base::MutexLock lock(mutex_);
        lines_.push_back(json::parse(line));
      };
      core_ = std::make_unique<TestCore>(options_);
    }
    return *core_;
  }

  // The lines of an event so far.
  std::vector<json> Lines(std::string_view event) {
    base::MutexLock lock(mutex_);
    std::vector<json> found;
    for (const json& line : lines_) {
      if (line["event"] == event) found.push_back(line);
    }
    return found;
  }
  std::string HashOf(std::string_view id) const {
    return access::AuditLog::HashOf(access::AuditLog::KeyOf(options_.cursor_key), id);
  }

  rpc::CoreOptions options_ = TestCore::Defaults();
  base::Mutex mutex_;  // guards the lines
  std::vector<json> lines_ WATTMINT_GUARDED_BY(mutex_);
  std::unique_ptr<TestCore> core_;
};

TEST_F(AuditTest, WhoeverKnowsAnAnswerFindsTheCallInTheLog) {
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER});
  json line = Lines("call").at(0);
  EXPECT_EQ(line["method"], "wattmint.v1.AccessService.CreateApiKey");
  EXPECT_EQ(line["user"], HashOf("admin"));
  EXPECT_EQ(line["target_kind"], "key");
  EXPECT_EQ(line["target"], key.key_id);
  EXPECT_EQ(line["result"], "OK");

  v1::RetryMintRequest retry;
  retry.set_task_id(77);
  EXPECT_THAT(Call(Core().mints(), &MintService::Stub::RetryMint, Core().admin(), retry),
              StatusIs(absl::StatusCode::kNotFound));
  line = Lines("call").at(1);
  EXPECT_EQ(line["target_kind"], "task");
  EXPECT_EQ(line["target"], "77");
  EXPECT_EQ(line["result"], "NOT_FOUND");

  Core().RegisterMeter("m-1", "ada", WalletAddress(1));
  line = Lines("call").at(2);
  EXPECT_EQ(line["target_kind"], "meter");
  EXPECT_EQ(line["target"], HashOf("m-1"));
  const std::int64_t sequence = Core().SendNotification("r-1", "ada", "for ada alone");
  line = Lines("call").at(3);
  EXPECT_EQ(line["method"], "wattmint.v1.AlertService.SendNotification");
  EXPECT_EQ(line["target_kind"], "event");
  EXPECT_EQ(line["target"], std::to_string(sequence));
  EXPECT_THAT(line.dump(), testing::Not(testing::HasSubstr("ada")));
  EXPECT_THAT(Call(Core().mints(), &MintService::Stub::GetSupply, key.credential, {}), IsOk());
  EXPECT_EQ(Lines("call").size(), 4u) << "what only reads is not audited";
}

TEST_F(AuditTest, RefusalsSayWhatWasWrong) {
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER});
  const auto who_am_i = [this](const client::Credential& credential) {
    return Call(Core().access(), &AccessService::Stub::WhoAmI, credential, {}).status();
  };
  EXPECT_FALSE(who_am_i({}).ok());
  EXPECT_FALSE(who_am_i(client::Credential::Bearer("a.b.c")).ok());
  EXPECT_FALSE(
      Call(Core().mints(), &MintService::Stub::PauseMinting, key.credential, {}).status().ok());
  const auto refused = Lines("refused");
  ASSERT_EQ(refused.size(), 3u);
  EXPECT_EQ(refused[0]["result"], "MISSING_CREDENTIALS");
  EXPECT_EQ(refused[1]["result"], "INVALID_TOKEN");
  EXPECT_FALSE(refused[1].contains("user"));
  EXPECT_EQ(refused[2]["result"], "PERMISSION_MISSING");
  EXPECT_EQ(refused[2]["method"], "wattmint.v1.MintService.PauseMinting");
  EXPECT_EQ(refused[2]["key"], key.key_id);
  EXPECT_EQ(refused[2]["user"], HashOf("ada"));
}

TEST_F(AuditTest, StreamsAreFollowedFromTheirBeginningToTheirEnd) {
  Core().RegisterMeter("m-1", "ada", WalletAddress(1));
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER});
  v1::SubscribeRequest request = FromSequence(1);
  request.mutable_filter()->add_meter_ids("m-1");
  {
    EventReader reader(Core().events(), key.credential, request);
    ASSERT_TRUE(reader.SkipTo(v1::SubscribeResponse::kCaughtUp));
    const json opened = Lines("stream_opened").at(0);
    EXPECT_EQ(opened["method"], "wattmint.v1.EventService.Subscribe");
    EXPECT_EQ(opened["key"], key.key_id);
    EXPECT_EQ(opened["stream"], 1);
    EXPECT_EQ(Lines("subscribed").at(0)["stream"], 1);
    EXPECT_EQ(Lines("subscribed").at(0)["filters"], json::parse(R"([{"meters":1}])"));
    EXPECT_TRUE(Lines("stream_ended").empty());
  }
  Core().WaitForStreams(0);
  EXPECT_EQ(Lines("stream_ended").at(0)["stream"], 1);
  EXPECT_EQ(Lines("stream_ended").at(0)["result"], "CANCELLED");

  grpc::ClientContext context;
  client::Attach(key.credential, context);
  client::SetTimeout(20s, context);
  const auto readings = Core().readings().StreamReadings(&context);
  readings->WritesDone();
  EXPECT_TRUE(readings->Finish().ok());
  Core().WaitForStreams(0);
  EXPECT_EQ(Lines("stream_opened").at(1)["method"], "wattmint.v1.ReadingService.StreamReadings");
  EXPECT_EQ(Lines("stream_ended").at(1)["stream"], 2);
  EXPECT_EQ(Lines("stream_ended").at(1)["result"], "OK");
}

TEST_F(AuditTest, ChangesOfALiveStreamAreWrittenDown) {
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER});
  const auto next_key = Core().CreateKey("ada", {v1::ROLE_USER});
  grpc::ClientContext context;
  client::Attach(key.credential, context);
  client::SetTimeout(20s, context);
  const auto stream = Core().events().SubscribeDynamic(&context);
  const auto change = [&](auto set, auto expected) {
    v1::SubscribeDynamicRequest request;
    set(request);
    ASSERT_TRUE(stream->Write(request));
    v1::SubscribeResponse answer;
    do {
      ASSERT_TRUE(stream->Read(&answer));
    } while (answer.message_case() != expected);
  };
  change(
      [](auto& r) {
        auto& filters = *r.mutable_start()->mutable_filters();
        filters["one"].add_types(v1::EVENT_TYPE_TOKENS_MINTED);
      },
      v1::SubscribeResponse::kEstablished);
  change(
      [](auto& r) {
        r.mutable_add_filter()->set_name("two");
        auto& filter = *r.mutable_add_filter()->mutable_filter();
        filter.add_types(v1::EVENT_TYPE_TASK_CREATED);
        filter.add_types(v1::EVENT_TYPE_METER_READING_RECEIVED);
      },
      v1::SubscribeResponse::kFiltersChanged);
  change([&](auto& r) { r.mutable_renew_credential()->set_credential("wm_nonsense"); },
         v1::SubscribeResponse::kChangeRefused);
  change([&](auto& r) { r.mutable_renew_credential()->set_credential(next_key.credential.text); },
         v1::SubscribeResponse::kCredentialRenewed);
  ASSERT_EQ(Lines("subscribed").size(), 2u);
  EXPECT_EQ(Lines("subscribed")[0]["filters"], json::parse(R"([{"types":1}])"));
  EXPECT_EQ(Lines("subscribed")[1]["filters"], json::parse(R"([{"types":1},{"types":2}])"));
  EXPECT_EQ(Lines("refused").at(0)["result"], "INVALID_API_KEY");
  EXPECT_EQ(Lines("credential_renewed").at(0)["key"], next_key.key_id);
  context.TryCancel();
  stream->Finish();
}

TEST_F(AuditTest, AUserWhoCallsTooOftenIsToldWhenToCallAgain) {
  options_.user_calls_per_second = 1;
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER}).credential;
  absl::Status light;
  int count = 0;
  for (; light.ok() && count < 1'000; ++count) {
    light = Call(Core().mints(), &MintService::Stub::GetSupply, key, {}).status();
  }
  EXPECT_THAT(light, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(access::ReasonOf(light), access::reason::kRateLimited);
  EXPECT_TRUE(access::RetryAfterOf(light).has_value());
  EXPECT_GT(count, 10) << "the burst";
  const auto second_key = Core().CreateKey("ada", {v1::ROLE_USER}).credential;
  EXPECT_EQ(
      access::ReasonOf(
          Call(Core().readings(), &ReadingService::Stub::ListReadings, second_key, {}).status()),
      access::reason::kRateLimited)
      << "a second key is no second rate";
  const auto bob = Core().CreateKey("bob", {v1::ROLE_USER}).credential;
  EXPECT_THAT(Call(Core().readings(), &ReadingService::Stub::ListReadings, bob, {}), IsOk());
  EXPECT_EQ(Lines("refused").at(0)["result"], "RATE_LIMITED");
}

TEST_F(AuditTest, AUserMayHaveSoManyStreams) {
  options_.streams.streams_per_user_max = 2;
  const auto key = Core().CreateKey("ada", {v1::ROLE_USER}).credential;
  EventReader first(Core().events(), key, FromSequence(1));
  ASSERT_TRUE(first.Next());
  {
    EventReader second(Core().events(), key, FromSequence(1));
    ASSERT_TRUE(second.Next());
    EventReader third(Core().events(), key, FromSequence(1));
    const absl::Status refusal = third.Finish();
    EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_EQ(access::ReasonOf(refusal), access::reason::kTooManyStreams);
    EXPECT_TRUE(access::RetryAfterOf(refusal).has_value());
    EXPECT_EQ(Lines("refused").at(0)["user"], HashOf("ada"));
    EventReader of_bob(Core().events(), Core().CreateKey("bob", {v1::ROLE_USER}).credential,
                       FromSequence(1));
    EXPECT_TRUE(of_bob.Next());
  }
  Core().WaitForStreams(1);
  EventReader fourth(Core().events(), key, FromSequence(1));
  EXPECT_TRUE(fourth.Next());
}

// A run in which everything happens that the core logs, at the finest level.
class LogPrivacyTest : public testing::Test {
 protected:
  LogPrivacyTest() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(logger);
    issuer_.Serve({.body = JwksOf({signer_.PublicJwk()})});
    auto jwt =
        access::JwtVerifier::Open({.key_file = {}, .key_address = issuer_.address()}, clock_);
    EXPECT_THAT(jwt, IsOk());
    jwt_ = *std::move(jwt);
    core_ = std::make_unique<TestCore>(TestCore::Defaults(), jwt_.get());
  }
  ~LogPrivacyTest() override { End(); }

  void End() {
    core_.reset();
    spdlog::set_default_logger(before_);
  }

  // Remembers what must not be in the log.
  client::Credential Secret(client::Credential credential) {
    private_.push_back(credential.text);
    return credential;
  }
  client::Credential NewKey(std::string_view user_id, v1::Role role) {
    const auto made = core_->CreateKey(user_id, {role});
    private_.push_back(made.credential.text.substr(made.credential.text.rfind('_')));
    return Secret(made.credential);
  }
  client::Credential NewToken(std::string_view user_id) {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.Now() + 1h);
    return Secret(client::Credential::Bearer(
        signer_.Sign({{"sub", user_id}, {"exp", expiry.time_since_epoch().count()}})));
  }

  void Run(const client::Credential& credential);

  std::shared_ptr<spdlog::logger> before_;  // shared: spdlog's own
  std::ostringstream log_;
  const TokenSigner signer_ = TokenSigner::Make("EdDSA", "ed");
  HttpServer issuer_;
  base::SystemClock clock_;
  std::unique_ptr<access::JwtVerifier> jwt_;
  std::unique_ptr<TestCore> core_;
  std::vector<std::string> private_ = {"ada.lovelace@example.org", "roof-of-ada", WalletAddress(1),
                                       WalletAddress(2)};
};

// Everything that a user does, well and badly.
void LogPrivacyTest::Run(const client::Credential& credential) {
  v1::SubscribeRequest request = FromSequence(1);
  request.mutable_filter()->add_meter_ids("roof-of-ada");
  request.mutable_filter()->add_user_ids("ada.lovelace@example.org");
  EventReader reader(core_->events(), credential, request);
  EXPECT_TRUE(reader.SkipTo(v1::SubscribeResponse::kCaughtUp));
  request.set_cursor("no cursor of ada.lovelace@example.org");
  EXPECT_FALSE(EventReader(core_->events(), credential, request).Finish().ok());
  v1::SetMeterWalletRequest wallet;
  wallet.set_meter_id("roof-of-ada");
  wallet.set_wallet_address(WalletAddress(2));
  EXPECT_THAT(Call(core_->meters(), &MeterService::Stub::SetMeterWallet, credential, wallet),
              IsOk());
  wallet.set_meter_id("another-roof-of-ada");
  EXPECT_FALSE(Call(core_->meters(), &MeterService::Stub::SetMeterWallet, credential, wallet).ok());
  EXPECT_FALSE(Call(core_->meters(), &MeterService::Stub::TransferMeter, credential, {}).ok());
  const auto ticket = Call(core_->access(), &AccessService::Stub::CreateTicket, credential, {});
  ASSERT_THAT(ticket, IsOk());
  for (int i = 0; i < 2; ++i) {
    Call(core_->access(), &AccessService::Stub::WhoAmI,
         Secret(client::Credential::Ticket(ticket->ticket())), {})
        .IgnoreError();
  }
}

TEST_F(LogPrivacyTest, NothingThatTellsAPersonAndNoSecretIsLogged) {
  core_->RegisterMeter("roof-of-ada", "ada.lovelace@example.org", WalletAddress(1));
  for (int i = 0; i < 3; ++i) core_->Submit(QuarterHour("roof-of-ada", i, "1.5"));
  core_->Submit(QuarterHour("roof-of-ada", 0, "9"));
  core_->WaitUntilMinted();
  Run(NewKey("ada.lovelace@example.org", v1::ROLE_USER));
  Run(NewToken("ada.lovelace@example.org"));
  for (const char* text : {"wm_12345678_hush", "hush.hush.hush", ""}) {
    Call(core_->access(), &AccessService::Stub::WhoAmI, client::Credential::Bearer(text), {})
        .IgnoreError();
  }
  private_.emplace_back("hush");
  private_.push_back(Secret(core_->admin()).text.substr(4));
  issuer_.Serve({.status = "500 Oops"});
  core_->app().Reload();
  core_->Restart();
  End();
  const std::string log = log_.str();
  EXPECT_THAT(log, HasSubstr("audit: {"));
  EXPECT_THAT(log, HasSubstr("\"event\":\"stream_ended\""));
  EXPECT_THAT(log, HasSubstr("\"event\":\"refused\""));
  for (const std::string& text : private_) EXPECT_THAT(log, Not(HasSubstr(text)));
}

}  // namespace
}  // namespace wattmint::test
