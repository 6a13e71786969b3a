// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_app.h"

#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using test::HttpAnswer;
using test::IsOk;
using test::StatusIs;
using test::WebSocketClient;
using testing::Contains;
using testing::HasSubstr;

// A core, a bridge and browsers, over real sockets.
class BridgeAppTest : public testing::Test {
 protected:
  BridgeAppTest() {
    options_.core.target = core_.address();
    options_.relay = core_.relay();
    options_.cursor_key.fill(7);  // the test core's
    options_.server.tick = std::chrono::milliseconds(10);
    options_.stop_deadline = std::chrono::milliseconds(300);
  }

  BridgeApp& Bridge() {
    if (bridge_ == nullptr) {
      auto bridge = BridgeApp::Start(options_, clock_, random_);
      EXPECT_THAT(bridge, IsOk());
      bridge_ = *std::move(bridge);
      WaitUntilReady(200);
    }
    return *bridge_;
  }
  HttpAnswer Http(std::string_view method, std::string_view target,
                  const WebSocketClient::Headers& headers = {}) {
    return WebSocketClient(bridge_->port()).Request(method, target, headers);
  }
  void WaitUntilReady(int status) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (Http("GET", "/readyz").status != status) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    }
  }
  // A session of that key, Connected and Authenticated.
  WebSocketClient Open(const client::Credential& key) {
    WebSocketClient client(Bridge().port());
    const HttpAnswer answer = client.Upgrade("/ws", {{"X-Api-Key", key.text}});
    EXPECT_EQ(answer.status, 101) << answer.body;
    EXPECT_EQ(Read(client)["type"], "Connected");
    EXPECT_EQ(Read(client)["type"], "Authenticated");
    return client;
  }
  static json Read(WebSocketClient& client) {
    const std::string text = client.ReadText();
    return text.empty() ? json::object() : json::parse(text);
  }
  static json ReadType(WebSocketClient& client, std::string_view type) {
    for (;;) {
      json message = Read(client);
      if (message.empty() || message["type"] == type) return message;
    }
  }
  static json Subscribe(WebSocketClient& client, const std::string& members) {
    client.SendText(R"({"type":"Subscribe","data":{)" + members + "}}");
    return ReadType(client, "Subscribed")["data"];
  }
  // Events up to the one with that sequence.
  static std::vector<json> ReadEventsTo(WebSocketClient& client, std::int64_t last) {
    std::vector<json> events;
    for (;;) {
      json message = Read(client);
      if (message.empty()) {
        ADD_FAILURE() << "the connection ended before event " << last;
        return events;
      }
      if (!message.contains("seq")) continue;
      events.push_back(message);
      if (message["seq"] >= last) return events;
    }
  }
  static std::vector<std::int64_t> Sequences(const std::vector<json>& events) {
    std::vector<std::int64_t> sequences;
    for (const json& event : events) sequences.push_back(event["seq"]);
    return sequences;
  }
  // What the core shows that user, from `from` on.
  std::vector<std::int64_t> SequencesOf(const client::Credential& key, std::int64_t from = 1) {
    std::vector<std::int64_t> sequences;
    for (const v1::Event& event : core_.ReadEvents(key, from)) {
      sequences.push_back(event.sequence());
    }
    return sequences;
  }
  client::Credential Key(std::string_view user) {
    return core_.CreateKey(user, {v1::ROLE_USER}).credential;
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  test::TestCore core_;
  BridgeOptions options_;
  std::unique_ptr<BridgeApp> bridge_;
};

TEST_F(BridgeAppTest, TellsABrowserOfAReadingAndItsTokens) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  WebSocketClient client = Open(key);
  const json subscribed = Subscribe(client, R"("channels":["user:u"])");
  EXPECT_FALSE(subscribed["cursor"].get<std::string>().empty());
  core_.Submit(test::QuarterHour("m", 1, "2.01"));
  const json received = ReadType(client, "MeterReadingReceived");
  EXPECT_EQ(received["data"]["meter_id"], "m");
  EXPECT_EQ(received["data"]["kwh_amount"], 2.01);
  const json minted = ReadType(client, "TokensMinted");
  EXPECT_EQ(minted["data"]["tokens_minted"], 2'010'000'000);
  EXPECT_EQ(minted["data"]["wallet_address"], test::WalletAddress(1));
  EXPECT_EQ(minted["data"]["reading_id"], received["data"]["reading_id"]);
  EXPECT_EQ(minted["seq"], SequencesOf(key).back()) << "the sequence that the core says";
}

TEST_F(BridgeAppTest, OpensByATicketOnce) {
  const client::Credential key = Key("u");
  Bridge();
  const HttpAnswer answer = Http("POST", "/ws/ticket", {{"X-Api-Key", key.text}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string target = "/ws?ticket=" + json::parse(answer.body)["ticket"].get<std::string>();
  WebSocketClient client(Bridge().port());
  EXPECT_EQ(client.Upgrade(target).status, 101);
  EXPECT_EQ(ReadType(client, "Authenticated")["data"]["user_id"], "u");
  EXPECT_EQ(WebSocketClient(Bridge().port()).Upgrade(target).status, 401);
  EXPECT_EQ(Http("POST", "/ws/ticket", {{"X-Api-Key", "wm_nonsense"}}).status, 401);
}

TEST_F(BridgeAppTest, TakesEveryWayToPresentACredential) {
  const client::Credential key = Key("u");
  const auto status = [&](std::string_view target, const WebSocketClient::Headers& headers) {
    return WebSocketClient(Bridge().port()).Upgrade(target, headers).status;
  };
  EXPECT_EQ(status("/ws", {{"Authorization", "Bearer " + key.text}}), 101);
  EXPECT_EQ(
      status("/ws", {{"Sec-WebSocket-Protocol", "wattmint.v1.json, wattmint.bearer." + key.text}}),
      101);
  EXPECT_EQ(status("/ws", {{"Authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(status("/ws?api_key=wrong", {}), 101) << "not looked at: it may still authenticate";
  WebSocketClient client(Bridge().port());
  EXPECT_EQ(client.Upgrade().status, 101);
  EXPECT_EQ(Read(client)["data"]["authenticated"], false);
  client.SendText(R"({"type":"Authenticate","data":{"api_key":")" + key.text + "\"}}");
  EXPECT_EQ(Read(client)["data"]["user_id"], "u");
}

TEST_F(BridgeAppTest, KeepsTwoUsersApart) {
  const client::Credential u = Key("u");
  const client::Credential v = Key("v");
  core_.RegisterMeter("mu", "u", test::WalletAddress(1));
  core_.RegisterMeter("mv", "v", test::WalletAddress(2));
  for (int i = 1; i <= 20; ++i) {
    core_.Submit(test::QuarterHour(i % 2 == 0 ? "mu" : "mv", i, "0.5"));
  }
  core_.WaitUntilMinted();
  for (const std::string& members :
       {std::string(R"("event_types":[],"start":"beginning")"),
        std::string(R"("channels":["meter:mu","meter:mv"],"start":"beginning")")}) {
    WebSocketClient client = Open(u);
    Subscribe(client, members);
    const auto expected = SequencesOf(u);
    for (const json& event : ReadEventsTo(client, expected.back())) {
      EXPECT_EQ(event["data"]["user_id"], "u") << event;
    }
  }
  WebSocketClient client = Open(v);
  client.SendText(R"({"type":"Subscribe","channels":["user:u"]})");
  EXPECT_EQ(Read(client)["data"]["code"], "ACCESS_DENIED");
  Subscribe(client, R"("event_types":[],"start":"beginning")");
  EXPECT_EQ(Sequences(ReadEventsTo(client, SequencesOf(v).back())), SequencesOf(v));
}

TEST_F(BridgeAppTest, LosesNothingWhileTheCoreRestarts) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  WebSocketClient client = Open(key);
  Subscribe(client, R"("event_types":[],"start":"beginning")");
  core_.Submit(test::QuarterHour("m", 1, "1"));
  core_.WaitUntilMinted();
  std::vector<std::int64_t> seen = Sequences(ReadEventsTo(client, SequencesOf(key).back()));
  core_.Stop();
  WaitUntilReady(503);
  core_.Restart();
  for (int i = 2; i <= 10; ++i) core_.Submit(test::QuarterHour("m", i, "1"));
  core_.WaitUntilMinted();
  const auto expected = SequencesOf(key);
  for (const std::int64_t sequence : Sequences(ReadEventsTo(client, expected.back()))) {
    seen.push_back(sequence);
  }
  EXPECT_EQ(seen, expected);
  WaitUntilReady(200);
}

TEST_F(BridgeAppTest, ResumesOnAnotherBridge) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  WebSocketClient client = Open(key);
  Subscribe(client, R"("channels":["meter:m"])");
  core_.Submit(test::QuarterHour("m", 1, "1"));
  core_.WaitUntilMinted();
  const auto before = Sequences(ReadEventsTo(client, SequencesOf(key).back()));
  bridge_->Stop();
  bridge_->Stop();
  const json draining = ReadType(client, "Draining");
  EXPECT_GT(draining["data"]["reconnect_after_ms"], 0);
  EXPECT_EQ(client.ReadClose(), 1001);
  bridge_.reset();
  core_.Submit(test::QuarterHour("m", 2, "1"));
  core_.WaitUntilMinted();
  WebSocketClient next = Open(key);
  Subscribe(next, R"("channels":["meter:m"],"resume":)" + draining["data"]["cursor"].dump());
  const auto after = Sequences(ReadEventsTo(next, SequencesOf(key).back()));
  EXPECT_EQ(after, SequencesOf(key, before.back() + 1));
}

TEST_F(BridgeAppTest, EndsTheSessionOfARevokedKey) {
  const test::TestCore::MadeKey made = core_.CreateKey("u", {v1::ROLE_USER});
  WebSocketClient client = Open(made.credential);
  WebSocketClient other = Open(Key("u"));
  v1::RevokeApiKeyRequest request;
  request.set_key_id(made.key_id);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_THAT(
      test::Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), request),
      IsOk());
  EXPECT_EQ(client.ReadClose(), 4401);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  other.SendText(R"({"type":"Ping","id":1})");
  EXPECT_EQ(Read(other)["type"], "Pong");
}

TEST_F(BridgeAppTest, ShowsAdminsTheBatches) {
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  WebSocketClient client = Open(core_.CreateKey("boss", {v1::ROLE_ADMIN}).credential);
  Subscribe(client, R"("channels":["batches"])");
  core_.Submit(test::QuarterHour("m", 1, "1"));
  const json batch = ReadType(client, "BatchMintingCompleted")["data"];
  EXPECT_EQ(batch["total_readings"], 1);
  EXPECT_EQ(batch["successful_mints"], 1);
}

TEST_F(BridgeAppTest, FeedsASlowReaderFromTheLog) {
  options_.hub.tail_bytes_max = 64 * 1024;  // so that it is soon out of the tail
  options_.host.sessions.queue_bytes_max = 64 * 1024;
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  Bridge();
  WebSocketClient slow(Bridge().port(), 4096);
  ASSERT_EQ(slow.Upgrade("/ws", {{"X-Api-Key", key.text}}).status, 101);
  Subscribe(slow, R"("event_types":[],"start":"beginning")");
  std::vector<v1::ReadingInput> readings;
  for (int i = 1; i <= 150; ++i) readings.push_back(test::QuarterHour("m", i, "0.1"));
  for (int round = 0; round < 10; ++round) {
    const std::string meter = "m" + std::to_string(round);
    core_.RegisterMeter(meter, "u", test::WalletAddress(1));
    for (v1::ReadingInput& reading : readings) reading.set_meter_id(meter);
    core_.SubmitAll(readings);
  }
  core_.WaitUntilMinted();
  const auto expected = SequencesOf(key);
  EXPECT_EQ(Sequences(ReadEventsTo(slow, expected.back())), expected);
}

TEST_F(BridgeAppTest, SaysThatItIsNotReadyWithoutACore) {
  options_.relay = client::Credential::ApiKey("wm_wrong");
  auto bridge = BridgeApp::Start(options_, clock_, random_);
  ASSERT_THAT(bridge, IsOk());
  bridge_ = *std::move(bridge);
  EXPECT_EQ(Http("GET", "/readyz").status, 503);
  EXPECT_EQ(Http("GET", "/healthz").status, 200);
  EXPECT_EQ(Http("GET", "/").status, 200);
  core_.Stop();
  EXPECT_EQ(Http("POST", "/ws/ticket", {{"X-Api-Key", "k"}}).status, 503);
  EXPECT_EQ(WebSocketClient(bridge_->port()).Upgrade("/ws?ticket=t").status, 503);
}

TEST_F(BridgeAppTest, SaysWhyItCannotStart) {
  options_.server.port = Bridge().port();
  EXPECT_THAT(BridgeApp::Start(options_, clock_, random_).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::bridge
