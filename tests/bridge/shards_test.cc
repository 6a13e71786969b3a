// SPDX-License-Identifier: Apache-2.0
#include "bridge/shards.h"

#include "bridge/bridge_metrics.h"
#include "bridge/session.h"
#include "core/base/status.h"
#include "tests/bridge/session_bench.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using test::WebSocketClient;
using testing::HasSubstr;

// Answers within the call, on whatever thread. Everybody is who their key says; what is not in
// memory any more is nowhere.
class InstantCore final : public CoreLink {
 public:
  void Authenticate(client::Credential credential, Done<access::Principal> done) override {
    access::Principal principal = SessionBench::Principal(credential.text);
    principal.key_id = "id-of-" + credential.text;
    done(std::move(principal));
  }
  void CreateTicket(client::Credential, Done<NewTicket> done) override {
    done(NewTicket{"ticket", base::Time{}});
  }
  void ReadHistory(HistoryRequest, Done<HistoryPage> done) override {
    done(base::Unavailable("everything is in memory"));
  }
  void ReadBatch(BatchRequest, Done<store::BatchState> done) override {
    done(base::Unavailable("there are no batches"));
  }
  void SubmitReading(client::Credential, domain::Reading, Done<SubmitAnswer> done) override {
    done(SubmitAnswer{.reading_id = "r-1"});
  }
};

// Browsers on one thread of sessions, or on several: nothing must tell them which.
class ShardsTest : public testing::TestWithParam<std::size_t> {
 protected:
  using Clients = std::vector<WebSocketClient>;

  ShardsTest() {
    options_.count = GetParam();
    options_.server.tick = std::chrono::milliseconds(5);
    options_.server.subprotocols = Subprotocols();
  }
  ~ShardsTest() override { shards_.reset(); }

  Shards& Running() {
    if (shards_ == nullptr) {
      auto shards = Shards::Start(options_, shared_, core_);
      EXPECT_TRUE(shards.ok()) << shards.status().ToString();
      shards_ = *std::move(shards);
      shards_->OnUpstreamConnected("epoch-1", 0);
    }
    return *shards_;
  }
  // Two for each of three shards.
  Clients OpenSix(const std::string& key) {
    Clients clients;
    for (int i = 0; i < 6; ++i) clients.push_back(Open(key));
    return clients;
  }
  WebSocketClient Open(const std::string& key) {
    WebSocketClient client(Running().port());
    EXPECT_EQ(client.Upgrade("/ws", {{"X-Api-Key", key}}).status, 101);
    connection_ids_.insert(Read(client)["data"]["connection_id"].get<std::string>());
    EXPECT_EQ(Read(client)["type"], "Authenticated");
    return client;
  }
  static json Read(WebSocketClient& client) {
    const std::string text = client.ReadText();
    return text.empty() ? json::object() : json::parse(text);
  }
  // The data of the next message of that type.
  static json Next(WebSocketClient& client, std::string_view type) {
    for (;;) {
      const json message = Read(client);
      if (message.empty() || message["type"] == type) return message["data"];
    }
  }
  static json Subscribe(WebSocketClient& client, const std::string& members) {
    client.SendText(R"({"type":"Subscribe","data":{)" + members + "}}");
    return Next(client, "Subscribed");
  }
  void Publish(int count) {
    for (int i = 0; i < count; ++i) {
      const domain::Fact fact = SessionBench::Minted("u", "m");
      const std::string payload = wire::EncodePayload(clock_.Now(), fact);
      hub_.Publish({{++head_, std::make_shared<const store::EventRecord::Body>(
                                  payload, domain::AttributesOf(fact))}});
    }
    Running().OnUpstreamHeard(head_);
  }
  // The sequences of the events up to the last that was published.
  std::vector<std::int64_t> ReadToHead(WebSocketClient& client) const {
    std::vector<std::int64_t> sequences;
    while (sequences.empty() || sequences.back() < head_) {
      const json message = Read(client);
      if (message.empty()) break;
      if (message.contains("seq")) sequences.push_back(message["seq"]);
    }
    return sequences;
  }
  static std::vector<std::int64_t> Sequence(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> sequences;
    for (; first <= last; ++first) sequences.push_back(first);
    return sequences;
  }
  json Get(std::string_view path) {
    const auto answer =
        WebSocketClient(Running().port()).Request("GET", path, {{"X-Api-Key", "admin"}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  InstantCore core_;
  TailOnlyLog no_log_;
  stream::Hub hub_{no_log_, wire::DecodeAttributes, 0, {}};
  std::int64_t head_ = 0;
  const stream::CursorSigner signer_{stream::CursorSigner::Key{}};
  access::AuditLog audit_{"bridge", {}, clock_, [](std::string_view) {}};
  Counters counters_;
  ChannelCounts channels_;
  const ByEncoding<ServerMessages> messages_ = ServerMessages::InAll(clock_);
  const SessionHost::Shared shared_{clock_, random_,   hub_,      signer_,
                                    audit_, counters_, channels_, messages_};
  Shards::Options options_;
  std::unique_ptr<Shards> shards_;
  std::set<std::string> connection_ids_;
};

INSTANTIATE_TEST_SUITE_P(Counts, ShardsTest, testing::Values(1, 3));

TEST_P(ShardsTest, EveryEventComesToEverySessionOnce) {
  Clients clients = OpenSix("u");
  for (WebSocketClient& client : clients) Subscribe(client, R"("channels":["user:u"])");
  const std::jthread writer([this] { Publish(200); });
  for (WebSocketClient& client : clients) {
    std::vector<std::int64_t> seen;
    while (seen.size() < 200) {
      const json message = Read(client);
      ASSERT_FALSE(message.empty());
      if (message.contains("seq")) seen.push_back(message["seq"]);
    }
    EXPECT_EQ(seen, Sequence(1, 200));
  }
}

TEST_P(ShardsTest, EventsThatFollowEachOtherAloneComeOnceAsWell) {
  Clients clients = OpenSix("u");
  for (WebSocketClient& client : clients) Subscribe(client, R"("channels":["user:u"])");
  for (std::int64_t sequence = 1; sequence <= 20; ++sequence) {
    Publish(1);
    for (WebSocketClient& client : clients) {
      EXPECT_EQ(ReadToHead(client), Sequence(sequence, sequence));
    }
  }
}

TEST_P(ShardsTest, ACursorIsGoodOnEveryShard) {
  std::string members = R"("channels":["user:u"],"resume":)";
  {
    WebSocketClient client = Open("u");
    const json subscribed = Subscribe(client, R"("channels":["user:u"])");
    Publish(5);
    EXPECT_EQ(ReadToHead(client), Sequence(1, 5));
    members += subscribed["cursor"].dump() + R"(,"last_seq":5)";
  }
  Publish(5);
  for (WebSocketClient& client : OpenSix("u")) {
    Subscribe(client, members);
    EXPECT_EQ(ReadToHead(client), Sequence(6, 10));
  }
}

TEST_P(ShardsTest, CountsTheSessionsOfAllTogether) {
  Clients clients = OpenSix("u");
  EXPECT_EQ(connection_ids_.size(), 6u) << "no two sessions have the same";
  for (WebSocketClient& client : clients) Subscribe(client, R"("channels":["system","user:u"])");
  Clients silent;  // so that the next requests come to another shard
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("/api/ws/health")["websocket"],
              json::parse(R"({"active_connections":6,"active_rooms":12})"));
    EXPECT_EQ(
        Get("/api/ws/stats")["data"],
        json::parse(R"({"total_clients":6,"total_rooms":2,"rooms":{"system":6,"user:u":6}})"));
    silent.emplace_back(shards_->port());
  }
  EXPECT_EQ(shards_->connections(), 6u);
}

TEST_P(ShardsTest, TellsAllHowTheUpstreamStands) {
  Clients clients = OpenSix("u");
  for (WebSocketClient& client : clients) Subscribe(client, R"("channels":["system"])");
  shards_->OnUpstreamLost();
  for (WebSocketClient& client : clients) {
    const json status = Next(client, "SystemStatus");
    EXPECT_EQ(status["upstream"], "lost");
    EXPECT_EQ(status["connections"], 6);
  }
  EXPECT_THAT(MetricsPage(counters_, audit_), HasSubstr("wattmint_bridge_upstream_connected 0\n"));
  shards_->OnUpstreamConnected("epoch-1", 3);
  for (WebSocketClient& client : clients) {
    const json status = Next(client, "SystemStatus");
    EXPECT_EQ(status["upstream"], "connected");
    EXPECT_EQ(status["head_sequence"], 3);
  }
  shards_->OnUpstreamHeard(7);
  shards_->OnUpstreamHeard(6);
  const std::string page = MetricsPage(counters_, audit_);
  EXPECT_THAT(page, HasSubstr("wattmint_bridge_upstream_connected 1\n"));
  EXPECT_THAT(page, HasSubstr("wattmint_bridge_upstream_sequence 7\n"));
}

TEST_P(ShardsTest, CountsEventsThatItIsTooOldToKnow) {
  Running().OnUnknownEvent(7);
  Running().OnUnknownEvent(8);
  EXPECT_THAT(MetricsPage(counters_, audit_),
              HasSubstr("wattmint_bridge_unknown_events_total 2\n"));
}

TEST_P(ShardsTest, ARevokedKeyEndsItsSessionsEverywhere) {
  Clients clients = OpenSix("stolen");
  Clients others = OpenSix("u");
  shards_->OnKeyRevoked("id-of-stolen");
  for (WebSocketClient& client : clients) EXPECT_EQ(client.ReadClose(), 4401);
  for (WebSocketClient& client : others) {
    client.SendText(R"({"type":"Ping","id":1})");
    EXPECT_EQ(Read(client)["type"], "Pong");
  }
}

TEST_P(ShardsTest, AnotherLogEndsAllSessions) {
  Clients clients = OpenSix("u");
  hub_.Reset(2);
  shards_->OnUpstreamConnected("epoch-2", 2);
  for (WebSocketClient& client : clients) EXPECT_EQ(client.ReadClose(), 4503);
  for (WebSocketClient& client : OpenSix("u")) {
    EXPECT_EQ(Subscribe(client, R"("channels":["user:u"])")["epoch"], "epoch-2");
  }
}

TEST_P(ShardsTest, DrainsAllWithADelayForEach) {
  Clients clients = OpenSix("u");
  for (WebSocketClient& client : clients) Subscribe(client, R"("channels":["user:u"])");
  std::thread stop([this] { shards_->Stop(std::chrono::seconds(5)); });
  std::set<std::int64_t> delays;
  for (WebSocketClient& client : clients) {
    const json draining = Next(client, "Draining");
    EXPECT_FALSE(draining["cursor"].get<std::string>().empty());
    delays.insert(draining["reconnect_after_ms"].get<std::int64_t>());
    EXPECT_EQ(client.ReadClose(), 1001);
  }
  EXPECT_GT(delays.size(), 1u);
  clients.clear();
  stop.join();
  EXPECT_EQ(shards_->connections(), 0u);
  EXPECT_EQ(counters_.sessions_open, 0);
  EXPECT_EQ(channels_.total(), 0);
}

TEST_P(ShardsTest, LimitsTheConnectionsOfAllTogether) {
  options_.server.connections_per_ip_max = 7;
  const Clients clients = OpenSix("u");
  const WebSocketClient seventh = Open("u");
  EXPECT_EQ(WebSocketClient(shards_->port()).Upgrade("/ws", {{"X-Api-Key", "u"}}).status, 429);
}

TEST_P(ShardsTest, AnswersOfTheCoreComeToTheSessionThatAsked) {
  for (WebSocketClient& client : OpenSix("u")) {
    client.SendText(R"({"type":"SubmitReading","id":1,"data":{"meter_id":"m","kwh_amount":1,)"
                    R"("timestamp":"2026-01-05T10:00:00Z"}})");
    EXPECT_EQ(Next(client, "ReadingSubmitted")["reading_id"], "r-1");
  }
}

TEST_P(ShardsTest, SaysWhyItCannotStart) {
  options_.server.port = Running().port();
  EXPECT_EQ(Shards::Start(options_, shared_, core_).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wattmint::bridge
