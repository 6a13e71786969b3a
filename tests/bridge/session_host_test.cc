// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_host.h"

#include "bridge/bridge_metrics.h"
#include "bridge/session.h"
#include "core/base/status.h"
#include "tests/bridge/session_bench.h"
#include "tests/support/seeded_random.h"

#include <gmock/gmock.h>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A host whose posted work runs at once.
class SessionHostTest : public testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Client {
    FakeConnection connection;
    std::unique_ptr<WebSocketListener> session;
  };

  // The answer to an upgrade, once the core has answered.
  UpgradeAnswer Upgrade(std::string target, Headers headers = {}) {
    std::optional<UpgradeAnswer> answer;
    HttpRequest request;
    request.method = "GET";
    request.target = std::move(target);
    request.headers = std::move(headers);
    host_.OnUpgrade(request, [&](UpgradeAnswer given) { answer = std::move(given); });
    while (core_.RunOne()) continue;
    if (!answer) ADD_FAILURE() << "no answer";
    return answer ? *std::move(answer) : UpgradeAnswer(HttpResponse{});
  }
  int UpgradeStatus(std::string target, Headers headers = {}) {
    const UpgradeAnswer answer = Upgrade(std::move(target), std::move(headers));
    const auto* refusal = std::get_if<HttpResponse>(&answer);
    return refusal != nullptr ? refusal->status : 101;
  }
  std::unique_ptr<Client> Open(const std::string& key) {
    auto client = std::make_unique<Client>();
    UpgradeAnswer answer = Upgrade("/ws", key.empty() ? Headers() : Headers{{"X-Api-Key", key}});
    client->session = std::get<std::unique_ptr<WebSocketListener>>(std::move(answer));
    client->session->OnOpen(client->connection);
    client->connection.Take();
    return client;
  }
  std::vector<std::string> Types(Client& client) {
    std::vector<std::string> types;
    for (const json& message : client.connection.Take()) types.push_back(message["type"]);
    return types;
  }

  SessionHostOptions options_{.allowed_origins = {"https://here"}, .unauthenticated_max = 2};
  test::FakeClock clock_;
  test::SeededRandom random_{1};
  test::MemoryLog log_;
  FakeCore core_{log_};
  TailOnlyLog no_log_;
  stream::Hub hub_{no_log_, wire::DecodeAttributes, 0, {}};
  const stream::CursorSigner signer_{stream::CursorSigner::Key{}};
  std::vector<json> audit_lines_;
  access::AuditLog audit_{"bridge", {}, clock_, [this](std::string_view line) {
                            audit_lines_.push_back(json::parse(line));
                          }};
  Counters counters_;
  ChannelCounts channels_;
  const ByEncoding<ServerMessages> messages_ = ServerMessages::InAll(clock_);
  const SessionHost::Shared shared_{clock_, random_,   hub_,      signer_,
                                    audit_, counters_, channels_, messages_};
  SessionHost host_{options_, shared_, core_, [](std::function<void()> work) { work(); }};
};

TEST_F(SessionHostTest, RefusedUpgradesAreCountedAndInTheAuditLog) {
  EXPECT_EQ(UpgradeStatus("/ws", {{"X-Api-Key", "unknown"}}), 401);
  EXPECT_EQ(UpgradeStatus("/ws", {{"Origin", "https://there"}}), 403);
  EXPECT_EQ(counters_.upgrades_refused, 2);
  ASSERT_EQ(audit_lines_.size(), 2u);
  EXPECT_EQ(audit_lines_[0]["event"], "refused");
  EXPECT_EQ(audit_lines_[0]["method"], "GET /ws");
  EXPECT_EQ(audit_lines_[1]["result"], "PERMISSION_DENIED");
}

TEST_F(SessionHostTest, OpensByTheOlderPathsAsWell) {
  core_.Know("k", SessionBench::Principal("u"));
  for (const char* path : {"/ws/v3", "/api/ws/tasks?api_key=x"}) {
    EXPECT_EQ(UpgradeStatus(path, {{"X-Api-Key", "k"}}), 101) << path;
  }
}

TEST_F(SessionHostTest, TheMetricsSayForHowLongTheCoreIsLost) {
  host_.OnUpstreamConnected("e", 5);
  host_.OnUpstreamLost();
  clock_.Advance(std::chrono::seconds(3));
  host_.OnTick();
  EXPECT_THAT(MetricsPage(counters_, audit_),
              HasSubstr("wattmint_bridge_upstream_lag_seconds 3\n"));
}

TEST_F(SessionHostTest, TheMetricsSayWhatTheServersLimitsDid) {
  for (const ServerLimit limit :
       {ServerLimit::kNoPong, ServerLimit::kNoPong, ServerLimit::kServerFull}) {
    host_.OnLimit(limit);
  }
  const std::string page = MetricsPage(counters_, audit_);
  for (const char* line :
       {"{limit=\"no_pong\"} 2\n", "{limit=\"server_full\"} 1\n", "{limit=\"malformed\"} 0\n"}) {
    EXPECT_THAT(page, HasSubstr(std::string("wattmint_bridge_connections_cut_total") + line));
  }
}

TEST_F(SessionHostTest, DecidesUpgrades) {
  core_.Know("k", SessionBench::Principal("u"));
  EXPECT_EQ(UpgradeStatus("/ws"), 101) << "authenticates by its first message";
  EXPECT_EQ(UpgradeStatus("/ws", {{"X-Api-Key", "k"}}), 101);
  EXPECT_EQ(UpgradeStatus("/ws", {{"X-Api-Key", "unknown"}}), 401);
  EXPECT_EQ(UpgradeStatus("/other"), 404);
  EXPECT_EQ(UpgradeStatus("/ws", {{"Origin", "https://there"}}), 403);
  EXPECT_EQ(UpgradeStatus("/ws", {{"Origin", "https://here"}}), 101);
  EXPECT_EQ(UpgradeStatus("/ws?batch_ms=60000"), 101);
  for (const char* wrong : {"", "-1", "60001", "1.5", "x"}) {
    EXPECT_EQ(UpgradeStatus(std::string("/ws?batch_ms=") + wrong), 400) << wrong;
  }
  core_.Fail(base::Unavailable("away"));
  EXPECT_EQ(UpgradeStatus("/ws?ticket=t"), 503);
}

TEST_F(SessionHostTest, LimitsThoseWhoHaveYetToTellWhoTheyAre) {
  core_.Know("k", SessionBench::Principal("u"));
  const auto anonymous = Open("");
  {
    const UpgradeAnswer about_to_open = Upgrade("/ws");
    EXPECT_EQ(counters_.sessions_unauthenticated, 2);
    EXPECT_EQ(UpgradeStatus("/ws"), 503);
    EXPECT_EQ(UpgradeStatus("/ws", {{"X-Api-Key", "k"}}), 101);
  }
  EXPECT_EQ(counters_.sessions_unauthenticated, 1) << "the other never opened";
  anonymous->session->OnText(R"({"type":"Authenticate","data":{"api_key":"k"}})");
  while (core_.RunOne()) continue;
  EXPECT_THAT(Types(*anonymous), ElementsAre("Authenticated"));
  EXPECT_EQ(counters_.sessions_unauthenticated, 0);
  EXPECT_EQ(UpgradeStatus("/ws"), 101);
}

TEST_F(SessionHostTest, TellsHowTheUpstreamStands) {
  core_.Know("k", SessionBench::Principal("u"));
  host_.OnUpstreamConnected("epoch-1", 5);
  const auto client = Open("k");
  client->session->OnText(R"({"type":"Subscribe","channels":["system","system_alerts"]})");
  client->connection.Take();
  host_.OnUpstreamLost();
  host_.OnUpstreamLost();
  const std::vector<json> lost = client->connection.Take();
  ASSERT_EQ(lost.size(), 2u);
  EXPECT_EQ(lost[0]["type"], "SystemAlert");
  EXPECT_FALSE(lost[0].contains("seq")) << "it is not of the log";
  EXPECT_EQ(lost[0]["data"]["kind"], "upstream");
  EXPECT_EQ(lost[0]["data"]["severity"], "warning");
  EXPECT_EQ(lost[1]["type"], "SystemStatus");
  clock_.Advance(std::chrono::seconds(3));
  host_.OnTick();
  EXPECT_EQ(host_.upstream().lag, std::chrono::seconds(3));
  host_.OnUpstreamConnected("epoch-1", 6);
  const std::vector<json> messages = client->connection.Take();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0]["data"]["severity"], "info");
  EXPECT_EQ(messages[1]["data"], json::parse(R"({"status":"healthy","connections":1,)"
                                             R"("upstream":"connected","head_sequence":6,)"
                                             R"("lag_ms":0})"));
  host_.OnUpstreamHeard(9);
  host_.OnUpstreamHeard(8);
  EXPECT_EQ(host_.upstream().head_sequence, 9);
  clock_.Advance(std::chrono::seconds(30));
  host_.OnTick();
  EXPECT_THAT(Types(*client), Contains("SystemStatus"));
}

TEST_F(SessionHostTest, EndsSessionsWhenTheLogIsAnotherOne) {
  core_.Know("k", SessionBench::Principal("u"));
  host_.OnUpstreamConnected("epoch-1", 5);
  const auto client = Open("k");
  host_.OnUpstreamConnected("epoch-1", 5);
  EXPECT_EQ(client->connection.close_code(), 0);
  host_.OnUpstreamConnected("epoch-2", 1);
  EXPECT_EQ(client->connection.close_code(), 4503);
  EXPECT_EQ(host_.upstream().head_sequence, 1);
}

TEST_F(SessionHostTest, EndsSessionsOfARevokedKeyAndThoseToCome) {
  access::Principal principal = SessionBench::Principal("u");
  principal.key_id = "key-1";
  core_.Know("k", principal);
  core_.Know("other", SessionBench::Principal("u"));
  const auto client = Open("k");
  const auto other = Open("other");
  host_.OnKeyRevoked("key-1");
  EXPECT_EQ(client->connection.close_code(), 4401);
  EXPECT_EQ(other->connection.close_code(), 0);
  EXPECT_EQ(Open("k")->connection.close_code(), 4401) << "checked before, opened after";
}

TEST_F(SessionHostTest, DrainsWithADelayForEach) {
  core_.Know("k", SessionBench::Principal("u"));
  std::vector<std::int64_t> delays;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Open("k"));
  host_.Drain();
  for (const auto& client : clients) {
    const json draining = client->connection.Take().at(0);
    EXPECT_EQ(draining["type"], "Draining");
    delays.push_back(draining["data"]["reconnect_after_ms"]);
  }
  const auto [least, most] = std::ranges::minmax(delays);
  EXPECT_GE(least, 500);
  EXPECT_LE(most, 5'000);
  EXPECT_GT(most - least, 1'000) << "they do not come back all at once";
}

TEST_F(SessionHostTest, AnswersHttp) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/healthz";
  int status = 0;
  host_.OnHttpRequest(request, [&](const HttpResponse& response) { status = response.status; });
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace wattmint::bridge
