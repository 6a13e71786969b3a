// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_app.h"

#include "core/base/time_format.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
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

TEST_F(BridgeAppTest, CredentialsThatNoCallCanCarryAreRefusedAndHarmNobody) {
  Bridge();
  const std::string huge(12'000, 'k');
  for (int i = 0; i < 5; ++i) {
    for (const std::string& key : {std::string("a\xe9"), huge}) {
      EXPECT_EQ(Http("POST", "/ws/ticket", {{"X-Api-Key", key}}).status, 401);
      EXPECT_EQ(Http("GET", "/metrics", {{"Authorization", "Bearer " + key}}).status, 401);
      WebSocketClient client(bridge_->port());
      EXPECT_EQ(client.Upgrade("/ws", {{"X-Api-Key", key}}).status, 401);
    }
    WebSocketClient client(bridge_->port());
    EXPECT_EQ(client.Upgrade("/ws?ticket=%0a").status, 401);
  }
  WebSocketClient client(bridge_->port());
  EXPECT_EQ(client.Upgrade("/ws").status, 101);
  client.SendText(R"({"type":"Authenticate","data":{"token":"é"}})");
  EXPECT_EQ(ReadType(client, "Error")["data"]["code"], "AUTHENTICATION_FAILED");
  EXPECT_EQ(Http("GET", "/readyz").status, 200);
}

TEST_F(BridgeAppTest, SubmitsReadingsAsTheirOwner) {
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  core_.RegisterMeter("other", "somebody", test::WalletAddress(2));
  WebSocketClient client = Open(Key("u"));
  Subscribe(client, R"("channels":["user:u"])");
  const std::string now = base::FormatRfc3339(
      std::chrono::floor<std::chrono::seconds>(clock_.Now() - std::chrono::hours(1)));
  const auto submit = [&](const std::string& meter, const std::string& kwh) {
    client.SendText(R"({"type":"SubmitReading","id":1,"data":{"meter_id":")" + meter +
                    R"(","kwh_amount":)" + kwh + R"(,"timestamp":")" + now +
                    R"(","interval_seconds":900}})");
    return ReadType(client, "ReadingSubmitted")["data"];
  };
  const json accepted = submit("m", "2.01");
  EXPECT_EQ(accepted["outcome"], "accepted");
  EXPECT_EQ(accepted["mint_state"], "PENDING");
  EXPECT_EQ(ReadType(client, "TokensMinted")["data"]["reading_id"], accepted["reading_id"]);
  const json again = submit("m", "2.01");
  EXPECT_EQ(again["outcome"], "exists");
  EXPECT_EQ(again["reading_id"], accepted["reading_id"]);
  EXPECT_EQ(submit("m", "3")["error_reason"], "EXISTS_WITH_DIFFERENT_ENERGY");
  EXPECT_EQ(submit("other", "1")["error_reason"], "METER_NOT_PERMITTED");
}

TEST_F(BridgeAppTest, SendsTheSameEventInEveryEncoding) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  core_.Submit(test::QuarterHour("m", 1, "2.01"));
  const auto open = [&](const std::string& encoding, const char* answered) {
    WebSocketClient client(Bridge().port());
    EXPECT_EQ(client
                  .Upgrade("/ws?subscribe=system",
                           {{"X-Api-Key", key.text}, {"Sec-WebSocket-Protocol", encoding}})
                  .status,
              101);
    client.SendText(R"({"type":"Subscribe","id":"mine","channels":["user:u"]})");
    json answer;
    do {
      answer = Read(client);
    } while (!answer.empty() && answer.value(answered, "") != "mine");
    return client;
  };
  WebSocketClient flat = open("wattmint.v1.flat", "id");
  WebSocketClient cloud = open("cloudevents.json", "replyto");
  core_.Submit(test::QuarterHour("m", 2, "1"));
  EXPECT_EQ(ReadType(flat, "MeterReadingReceived")["kwh_amount"], 1);
  const json event = ReadType(cloud, "wattmint.v1.MeterReadingReceived");
  EXPECT_EQ(event["data"]["kwh_amount"], 1);
  EXPECT_EQ(event["subject"], "m");
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

TEST_F(BridgeAppTest, ServesTheSameOnSeveralShards) {
  options_.shards = 3;
  const test::TestCore::MadeKey made = core_.CreateKey("u", {v1::ROLE_USER});
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  std::vector<WebSocketClient> clients;
  std::vector<std::vector<std::int64_t>> seen(6);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    clients.push_back(Open(made.credential));
    Subscribe(clients.back(), R"("event_types":[],"start":"beginning")");
  }
  const auto read_on = [&] {
    const auto expected = SequencesOf(made.credential);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const auto more = Sequences(ReadEventsTo(clients[i], expected.back()));
      seen[i].insert(seen[i].end(), more.begin(), more.end());
      EXPECT_EQ(seen[i], expected) << i;
    }
  };
  core_.Submit(test::QuarterHour("m", 1, "1"));
  core_.WaitUntilMinted();
  read_on();
  core_.Stop();
  WaitUntilReady(503);
  core_.Restart();
  for (int i = 2; i <= 10; ++i) core_.Submit(test::QuarterHour("m", i, "1"));
  core_.WaitUntilMinted();
  read_on();
  EXPECT_EQ(bridge_->connections(), seen.size());
  v1::RevokeApiKeyRequest request;
  request.set_key_id(made.key_id);
  ASSERT_THAT(
      test::Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), request),
      IsOk());
  for (WebSocketClient& client : clients) EXPECT_EQ(client.ReadClose(), 4401);
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

TEST_F(BridgeAppTest, AlertsReachWhoAskedForThemAndNotificationsTheirUserAlone) {
  const client::Credential u = Key("u");
  WebSocketClient own = Open(u);
  WebSocketClient other = Open(Key("v"));
  Subscribe(own, R"("channels":["user:u","system_alerts"])");
  Subscribe(other, R"("channels":["system_alerts"])");
  const std::int64_t alert = core_.SendAlert("r-1", "maintenance at 18:00");
  const std::int64_t notification = core_.SendNotification("r-2", "u", "for you");
  const std::int64_t second = core_.SendAlert("r-3", "it is over");
  EXPECT_EQ(Sequences(ReadEventsTo(own, second)),
            (std::vector<std::int64_t>{alert, notification, second}));
  const std::vector<json> seen = ReadEventsTo(other, second);
  ASSERT_EQ(Sequences(seen), (std::vector<std::int64_t>{alert, second}));
  EXPECT_EQ(seen[0]["type"], "SystemAlert");
  EXPECT_EQ(seen[0]["data"]["kind"], "maintenance");
  EXPECT_EQ(seen[0]["data"]["severity"], "warning");
  EXPECT_EQ(seen[0]["data"]["message"], "maintenance at 18:00");

  // Who was away while bridge and core restarted gets what was said meanwhile, and nothing twice.
  bridge_.reset();
  core_.Restart();
  const std::int64_t third = core_.SendAlert("r-4", "once more");
  core_.SendAlert("r-1", "maintenance at 18:00");
  const std::int64_t last = core_.SendAlert("r-5", "done");
  WebSocketClient next = Open(u);
  Subscribe(next, R"("channels":["system_alerts"],"start":"beginning")");
  EXPECT_EQ(Sequences(ReadEventsTo(next, last)),
            (std::vector<std::int64_t>{alert, second, third, last}));
  WebSocketClient back = Open(Key("w"));
  Subscribe(back, R"("event_types":["SystemAlert","Notification"],"start":"beginning")");
  EXPECT_EQ(Sequences(ReadEventsTo(back, last)),
            (std::vector<std::int64_t>{alert, second, third, last}));
}

// The states of a job's tasks by a snapshot and the events behind it.
std::map<std::string, std::string> Fold(const std::vector<json>& messages, const std::string& job) {
  std::map<std::string, std::string> states;
  std::int64_t sequence = 0;
  for (const json& message : messages) {
    const json& data = message["data"];
    if (message["type"] == "JobSnapshot" && data["job_id"] == job) {
      sequence = data["sequence"];
      for (const json& task : data["tasks"]) states[task["task_id"]] = task["status"];
    } else if (message["type"] == "TaskStatusChanged" && data["job_id"] == job &&
               message["seq"] > sequence) {
      const auto known = states.find(data["task_id"]);
      if (known != states.end()) {
        EXPECT_EQ(known->second, data["changes"]["old_status"]) << message;
      }
      states[data["task_id"]] = data["changes"]["new_status"];
    }
  }
  return states;
}

TEST_F(BridgeAppTest, JoinsTheTasksOfAJobToWhatHappensToThem) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  core_.RegisterMeter("other", "v", test::WalletAddress(2));
  WebSocketClient watcher = Open(key);
  Subscribe(watcher, R"("event_types":["TaskStatusChanged"])");
  WebSocketClient client = Open(key);
  Subscribe(client, R"("channels":["user:u"])");
  std::vector<v1::ReadingInput> readings;
  for (int i = 1; i <= 150; ++i) {
    readings.push_back(test::QuarterHour(i % 3 == 0 ? "other" : "m", i, "0.1"));
  }
  core_.SubmitAll(readings);
  // Each job is subscribed as soon as it is heard of, while its tasks are being minted.
  std::set<std::string> jobs;
  int confirmed = 0;
  while (confirmed < 100) {
    const json data = ReadType(watcher, "TaskStatusChanged")["data"];
    ASSERT_FALSE(data.is_null()) << "the connection ended";
    confirmed += data["changes"]["new_status"] == "CONFIRMED" ? 1 : 0;
    const std::string job = data.value("job_id", "");
    const bool has_room = jobs.size() < 15;  // the limit of a session is 20
    if (job.empty() || !has_room || !jobs.insert(job).second) continue;
    client.SendText(R"({"type":"Subscribe","channels":["job:)" + job + R"("]})");
  }
  const std::int64_t last = core_.SendNotification("r-1", "u", "the end");
  std::vector<json> seen;
  std::size_t shown = 0;  // jobs
  bool has_last = false;  // it may come before the last answer
  while (shown < jobs.size() || !has_last) {
    seen.push_back(Read(client));
    ASSERT_FALSE(seen.back().empty()) << "the connection ended";
    const bool is_snapshot = seen.back()["type"] == "JobSnapshot";
    if (is_snapshot && !seen.back()["data"]["more"].get<bool>()) ++shown;
    if (seen.back().value("seq", std::int64_t{0}) == last) has_last = true;
  }
  std::int64_t before = 0;
  for (const json& message : seen) {
    if (!message.contains("seq")) continue;
    EXPECT_GT(message["seq"], before) << "nothing comes twice";
    before = message["seq"];
  }
  std::map<std::string, std::map<std::string, std::string>> expected;
  const auto listed = test::Call(core_.mints(), &v1::MintService::Stub::ListMints, key, {});
  ASSERT_THAT(listed, test::IsOk());
  for (const v1::MintTask& task : listed->tasks()) {
    expected[task.batch_id()][std::to_string(task.task_id())] = "CONFIRMED";
  }
  for (const std::string& job : jobs) EXPECT_EQ(Fold(seen, job), expected[job]);
}

TEST_F(BridgeAppTest, HandsOverBatchesToWhoAsksForThem) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  WebSocketClient client(Bridge().port());
  ASSERT_EQ(client.Upgrade("/ws?batch_ms=300", {{"X-Api-Key", key.text}}).status, 101);
  Subscribe(client, R"("event_types":[],"start":"beginning")");
  for (int i = 1; i <= 20; ++i) core_.Submit(test::QuarterHour("m", i, "0.1"));
  core_.WaitUntilMinted();
  const std::vector<std::int64_t> expected = SequencesOf(key);
  std::vector<std::int64_t> received;
  std::size_t frames = 0;
  while (received.size() < expected.size()) {
    const json frame = Read(client);
    ASSERT_FALSE(frame.empty()) << "the connection ended";
    if (!frame.is_array()) continue;
    ++frames;
    for (const json& event : frame) received.push_back(event["seq"]);
  }
  EXPECT_EQ(received, expected);
  EXPECT_LT(frames, expected.size() / 4);
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

TEST_F(BridgeAppTest, ReadsOnAboutAMeterThatWasGivenAway) {
  const client::Credential key = Key("u");
  core_.RegisterMeter("m", "u", test::WalletAddress(1));
  core_.Submit(test::QuarterHour("m", 1, "1"));
  core_.WaitUntilMinted();
  v1::TransferMeterRequest transfer;
  transfer.set_meter_id("m");
  transfer.set_user_id("v");
  ASSERT_THAT(
      test::Call(core_.meters(), &v1::MeterService::Stub::TransferMeter, core_.admin(), transfer),
      test::IsOk());
  core_.Submit(test::QuarterHour("m", 2, "1"));
  const auto expected = SequencesOf(key);
  WebSocketClient client = Open(key);  // of a bridge that was not there when that happened
  Subscribe(client, R"("event_types":[],"meters":["m"],"start":"beginning")");
  EXPECT_EQ(Sequences(ReadEventsTo(client, expected.back())), expected);
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
