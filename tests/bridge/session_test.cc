// SPDX-License-Identifier: Apache-2.0
#include "bridge/session.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "tests/bridge/session_bench.h"
#include "wattmint/v1/event.pb.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <numeric>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Client = SessionBench::Client;
using Where = SessionBench::Where;

class SessionTest : public testing::Test {
 protected:
  std::vector<std::string> Types(Client& client) {
    std::vector<std::string> types;
    for (const json& message : client.connection.Take()) types.push_back(message["type"]);
    return types;
  }
  // The answer to one message that is answered at once.
  json Ask(Client& client, const std::string& text) {
    client.connection.Take();
    client.session->OnText(text);
    const std::vector<json> messages = client.connection.Take();
    if (messages.empty()) {
      ADD_FAILURE() << "no answer to " << text;
      return {};
    }
    for (std::size_t i = 1; i < messages.size(); ++i) Keep(client, messages[i]);
    return messages.front();
  }
  std::string ErrorCode(Client& client, const std::string& text) {
    const json answer = Ask(client, text);
    return answer["type"] == "Error" ? answer["data"]["code"] : answer["type"];
  }
  json Subscribe(Client& client, const std::string& members) {
    const json answer = Ask(client, R"({"type":"Subscribe","data":{)" + members + "}}");
    EXPECT_EQ(answer["type"], "Subscribed") << answer;
    return answer["data"];
  }
  void Keep(Client& client, const json& message) {
    if (message.contains("seq")) {
      events_[&client].push_back(message["seq"]);
    } else {
      others_.push_back(message);
    }
  }
  // Waits for that many events; what else comes is kept in others_.
  std::vector<std::int64_t> ReadEvents(Client& client, std::size_t count) {
    bench_.RunUntil([&] {
      for (const json& message : client.connection.Take()) Keep(client, message);
      return events_[&client].size() >= count;
    });
    return std::exchange(events_[&client], {});
  }

  SessionBench bench_;
  std::map<Client*, std::vector<std::int64_t>> events_;  // not yet asked for
  std::vector<json> others_;
};

TEST_F(SessionTest, WelcomesWhoCameWithACredential) {
  access::Principal principal = SessionBench::Principal("u");
  principal.wallets = {"w"};
  principal.expires_at = bench_.clock.Now() + std::chrono::hours(1);
  const auto client = bench_.Open(principal);
  const std::vector<json> messages = client->connection.Take();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0]["type"], "Connected");
  EXPECT_EQ(messages[0]["data"]["authenticated"], true);
  EXPECT_FALSE(messages[0]["data"].contains("authenticate_within_ms"));
  EXPECT_EQ(messages[0]["data"]["limits"]["subscriptions"], 50);
  EXPECT_EQ(messages[1]["data"], json::parse(R"({"user_id":"u","wallet":"w","roles":["user"],)"
                                             R"("expires_at":"2026-06-01T13:00:00Z"})"));
}

TEST_F(SessionTest, SpeaksTheFlatEncoding) {
  const auto client =
      bench_.Open(SessionBench::Principal("u"), {.delivery = {.encoding = Encoding::kFlat}});
  EXPECT_EQ(client->connection.Take()[0]["authenticated"], true);
  const json answer = Ask(*client, R"({"type":"Subscribe","id":"7","channels":["user:u"]})");
  EXPECT_EQ(answer["id"], "7");
  EXPECT_EQ(answer["channels"], json({"user:u"}));
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(1));
}

TEST_F(SessionTest, SpeaksCloudEvents) {
  const auto client =
      bench_.Open(SessionBench::Principal("u"), {.delivery = {.encoding = Encoding::kCloudEvents}});
  const std::vector<json> welcome = client->connection.Take();
  EXPECT_EQ(welcome[0]["type"], "wattmint.v1.Connected");
  EXPECT_EQ(welcome[0]["source"], welcome[1]["source"]);
  EXPECT_NE(welcome[0]["id"], welcome[1]["id"]);
  const json by_text = Ask(*client, R"({"type":"Subscribe","id":"7","channels":["user:u"]})");
  EXPECT_EQ(by_text["replyto"], "7");
  EXPECT_EQ(by_text["data"]["channels"], json({"user:u"}));
  EXPECT_EQ(Ask(*client, R"({"type":"Ping","id":7})")["replyto"], "7");
  bench_.Append(SessionBench::Minted("u", "m"));
  json event;
  bench_.RunUntil([&] {
    for (const json& message : client->connection.Take()) event = message;
    return event["type"] == "wattmint.v1.TokensMinted";
  });
  EXPECT_EQ(event["source"], "urn:wattmint:log:epoch-1");
}

TEST_F(SessionTest, SendsEventsAsTheCoresBytes) {
  const auto client =
      bench_.Open(SessionBench::Principal("u"), {.delivery = {.encoding = Encoding::kProto}});
  EXPECT_EQ(client->connection.Take()[0]["type"], "Connected");
  Subscribe(*client, R"("channels":["user:u"])");
  bench_.Append(SessionBench::Minted("u", "m"));
  json frame;
  bench_.RunUntil([&] {
    for (const json& message : client->connection.Take()) frame = message;
    return frame.is_binary();
  });
  const json::binary_t& bytes = frame.get_binary();
  v1::Event event;
  ASSERT_TRUE(event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  EXPECT_EQ(event.sequence(), 1);
  EXPECT_EQ(event.tokens_minted().user_id(), "u");
}

TEST_F(SessionTest, SubscribesWhatTheUpgradeNamed) {
  const auto client = bench_.Open(SessionBench::Principal("u"), {.channels = "user:u,system"});
  const std::vector<json> messages = client->connection.Take();
  ASSERT_GE(messages.size(), 3u);
  EXPECT_EQ(messages[2]["type"], "Subscribed");
  EXPECT_EQ(messages[2]["data"]["channels"], json({"user:u", "system"}));
  const auto refused = bench_.Open(SessionBench::Principal("u"), {.channels = "system,nothing"});
  const std::vector<json> answers = refused->connection.Take();
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(answers[2]["data"]["code"], "INVALID_ROOM");
  EXPECT_EQ(answers[2]["data"]["channel"], "nothing");
  const auto stranger = bench_.Open(SessionBench::Principal("u"), {.channels = "user:other"});
  EXPECT_EQ(stranger->connection.Take()[2]["data"]["code"], "ACCESS_DENIED");
}

TEST_F(SessionTest, WaitsForTheCredentialBeforeItSubscribesWhatTheUpgradeNamed) {
  bench_.core.Know("key", SessionBench::Principal("u"));
  const auto client = bench_.Open(std::nullopt, {.channels = "user:u"});
  EXPECT_THAT(Types(*client), ElementsAre("Connected"));
  client->session->OnText(R"({"type":"Authenticate","data":{"api_key":"key"}})");
  bench_.RunAnswers();
  EXPECT_THAT(Types(*client), ElementsAre("Authenticated", "Subscribed", "CaughtUp"));
  client->session->OnText(R"({"type":"Unsubscribe"})");
  client->session->OnText(R"({"type":"Authenticate","data":{"api_key":"key"}})");
  bench_.RunAnswers();
  EXPECT_THAT(Types(*client), ElementsAre("Unsubscribed", "Authenticated")) << "only once";
}

constexpr const char* kSubmit =
    R"({"type":"SubmitReading","id":"9","data":{"meter_id":"m","kwh_amount":1.5,)"
    R"("timestamp":"2026-01-05T10:00:00Z","interval_seconds":900}})";

TEST_F(SessionTest, SubmitsReadingsByTheClientsOwnCredential) {
  const auto client =
      bench_.Open(SessionBench::Principal("u"), {.credential = client::Credential::ApiKey("key")});
  client->connection.Take();
  client->session->OnText(kSubmit);
  EXPECT_THAT(client->connection.Take(), IsEmpty());
  bench_.RunAnswers();
  ASSERT_THAT(bench_.core.submitted(), SizeIs(1));
  EXPECT_EQ(bench_.core.submitted()[0].first, "key");
  EXPECT_EQ(bench_.core.submitted()[0].second.energy.nano_kwh(), 1'500'000'000);
  const json answer = client->connection.Take()[0];
  EXPECT_EQ(answer["type"], "ReadingSubmitted");
  EXPECT_EQ(answer["id"], "9");
  EXPECT_EQ(answer["data"],
            json::parse(R"({"outcome":"accepted","reading_id":"r-1","mint_state":"PENDING"})"));
}

TEST_F(SessionTest, ATicketSubmitsNothing) {
  const auto client = bench_.Open(SessionBench::Principal("u"),
                                  {.credential = client::Credential::Ticket("ticket")});
  EXPECT_EQ(ErrorCode(*client, kSubmit), "ACCESS_DENIED");
  bench_.core.Know("key", SessionBench::Principal("u"));
  client->session->OnText(R"({"type":"Authenticate","data":{"api_key":"key"}})");
  bench_.RunAnswers();
  client->session->OnText(kSubmit);
  bench_.RunAnswers();
  EXPECT_EQ(bench_.core.submitted().at(0).first, "key");
}

TEST_F(SessionTest, NobodySubmitsBeforeAuthenticating) {
  const auto client = bench_.Open(std::nullopt);
  EXPECT_EQ(ErrorCode(*client, R"({"type":"SubmitReading","data":{}})"), "INVALID_READING_DATA");
  EXPECT_EQ(ErrorCode(*client, kSubmit), "AUTHENTICATION_REQUIRED");
}

TEST_F(SessionTest, SaysWhyAReadingCannotBeSubmitted) {
  const auto client =
      bench_.Open(SessionBench::Principal("u"), {.credential = client::Credential::ApiKey("key")});
  const std::vector<std::pair<absl::Status, const char*>> refusals = {
      {absl::UnavailableError(""), "UPSTREAM_UNAVAILABLE"},
      {absl::DeadlineExceededError(""), "UPSTREAM_UNAVAILABLE"},
      {absl::UnauthenticatedError(""), "AUTHENTICATION_FAILED"},
      {absl::PermissionDeniedError(""), "ACCESS_DENIED"},
      {absl::InvalidArgumentError(""), "INVALID_READING_DATA"},
      {absl::ResourceExhaustedError(""), "UPSTREAM_UNAVAILABLE"},
      {access::WithReason(absl::ResourceExhaustedError(""), access::reason::kRateLimited),
       "RATE_LIMIT_EXCEEDED"},
      {absl::UnimplementedError(""), "INTERNAL"}};
  for (const auto& [status, code] : refusals) {
    bench_.core.Fail(status);
    client->connection.Take();
    client->session->OnText(kSubmit);
    bench_.RunAnswers();
    const json answer = client->connection.Take().at(0);
    EXPECT_EQ(answer["data"]["code"], code);
    const bool is_unknown =
        code == std::string("UPSTREAM_UNAVAILABLE") || code == std::string("INTERNAL");
    const std::string message = answer["data"]["message"];
    EXPECT_EQ(message.find("submit the same again") != std::string::npos, is_unknown) << message;
    EXPECT_EQ(answer["id"], "9");
  }
  bench_.core.Fail(absl::OkStatus());
  for (int i = 0; i < 4; ++i) client->session->OnText(kSubmit);
  EXPECT_EQ(ErrorCode(*client, kSubmit), "RATE_LIMIT_EXCEEDED") << "too many under way";
  client->session.reset();
  bench_.RunAnswers();  // to nobody
}

TEST_F(SessionTest, HistoryMayBeAheadOfTheLiveFeed) {
  bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  std::vector<store::EventRecord> late;
  for (int i = 0; i < 2; ++i) {
    const domain::Fact fact = SessionBench::Minted("u", "m");
    const std::string payload = wire::EncodePayload(bench_.clock.Now(), fact);
    late.push_back({bench_.log.Append(payload), std::make_shared<const store::EventRecord::Body>(
                                                    payload, domain::AttributesOf(fact))});
  }
  const auto first = bench_.OpenAs("u");
  Subscribe(*first, R"("channels":["user:u"],"start":"beginning")");
  bench_.RunAnswers();
  EXPECT_THAT(ReadEvents(*first, 3), ElementsAre(1, 2, 3));
  const auto second = bench_.OpenAs("u");
  Subscribe(*second, R"("channels":["user:u"])");
  bench_.hub.Publish(std::move(late));
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*second, 3), ElementsAre(2, 3, 4));
  EXPECT_THAT(ReadEvents(*first, 1), ElementsAre(4)) << "nothing twice";
}

TEST_F(SessionTest, AChannelWithoutEventsEndsTheFilterBefore) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("meters":["m"])");
  EXPECT_FALSE(Subscribe(*client, R"("channels":["system"])").contains("cursor"));
  bench_.Append(SessionBench::Minted("u", "m"));
  const auto other = bench_.OpenAs("u");
  Subscribe(*other, R"("channels":["user:u"],"start":"beginning")");
  EXPECT_THAT(ReadEvents(*other, 1), SizeIs(1));
  EXPECT_THAT(Types(*client), IsEmpty());
}

TEST_F(SessionTest, ARefusalForTheRateNamesTheMessage) {
  const auto client = bench_.OpenAs("u");
  json last;
  for (int i = 0; i < 21; ++i) {
    client->session->OnText(fmt::format(R"({{"type":"Ping","id":{}}})", i));
    last = client->connection.Take().back();
  }
  EXPECT_EQ(last["data"]["code"], "RATE_LIMIT_EXCEEDED");
  EXPECT_EQ(last["id"], 20);
}

TEST_F(SessionTest, ServesOthersWhileAGroupHasMoreToSend) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["user:u"])");
  constexpr std::int64_t kCount = 2'000;  // far more than one turn hands out
  for (std::int64_t i = 0; i < kCount; ++i) bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_EQ(ReadEvents(*client, kCount).back(), kCount);
}

TEST_F(SessionTest, CountsWhatItDoes) {
  auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["user:u","system"])");
  const auto other = bench_.OpenAs("u");
  Subscribe(*other, R"("channels":["system"])");
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*client, 1), SizeIs(1));
  ErrorCode(*client, "{");
  const Counters& counters = bench_.counters;
  EXPECT_EQ(counters.sessions_open, 2);
  EXPECT_EQ(counters.frames_received, 3);
  EXPECT_EQ(counters.events_sent, 1);
  EXPECT_EQ(counters.errors_sent, 1);
  EXPECT_EQ(counters.subscription_changes, 2);
  using Counts = std::map<std::string, std::int64_t>;
  EXPECT_EQ(bench_.channels.all(), (Counts{{"system", 2}, {"user:u", 1}}));
  Ask(*client, R"({"type":"Unsubscribe","data":{"channels":["system"]}})");
  EXPECT_EQ(bench_.channels.all(), (Counts{{"system", 1}, {"user:u", 1}}));
  client.reset();
  EXPECT_EQ(bench_.channels.all(), (Counts{{"system", 1}}));
  EXPECT_EQ(counters.sessions_open, 1);
  EXPECT_EQ(counters.sessions_opened, 2);
}

TEST_F(SessionTest, LetsAuthenticateByTheFirstMessage) {
  bench_.core.Know("good", SessionBench::Principal("u"));
  const auto client = bench_.Open(std::nullopt);
  const json connected = client->connection.Take().at(0)["data"];
  EXPECT_EQ(connected["authenticated"], false);
  EXPECT_EQ(connected["authenticate_within_ms"], 10'000);
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Subscribe","channels":["system"]})"),
            "AUTHENTICATION_REQUIRED");
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Ping"})"), "Pong");
  client->session->OnText(R"({"type":"Authenticate","id":7,"data":{"token":"good"}})");
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Authenticate","data":{"token":"good"}})"),
            "INVALID_AUTHENTICATION_DATA")
      << "one is being checked";
  bench_.RunAnswers();
  const json answer = client->connection.Take().at(0);
  EXPECT_EQ(answer["type"], "Authenticated");
  EXPECT_EQ(answer["id"], 7);
  EXPECT_EQ(answer["data"]["wallet"], nullptr);
  Subscribe(*client, R"("channels":["system"])");
  bench_.Pass(std::chrono::seconds(11));
  EXPECT_EQ(client->connection.close_code(), 0);
}

TEST_F(SessionTest, WhatItDoesIsInTheAuditLogWithoutNames) {
  bench_.core.Know("good", SessionBench::Principal("ada"));
  const auto client = bench_.Open(std::nullopt);
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"good"}})");
  bench_.RunAnswers();
  Subscribe(*client, R"("channels":["system","meter:roof-1","user:ada"])");
  client->session->OnClose(1001);
  std::string all;
  std::vector<std::string> events;
  for (const json& line : bench_.audit_lines) {
    EXPECT_EQ(line["stream"], 1);
    events.push_back(line["event"]);
    all += line.dump();
  }
  EXPECT_EQ(events, (std::vector<std::string>{"stream_opened", "credential_renewed", "subscribed",
                                              "stream_ended"}));
  EXPECT_FALSE(bench_.audit_lines[0].contains("user"));
  EXPECT_EQ(bench_.audit_lines[1]["user"], access::AuditLog::HashOf({}, "ada"));
  EXPECT_THAT(bench_.audit_lines[2]["channels"],
              testing::UnorderedElementsAre("system", "meter", "user"));
  EXPECT_EQ(bench_.audit_lines[3]["result"], "CLOSE_1001");
  EXPECT_THAT(all, testing::Not(testing::HasSubstr("ada")));
  EXPECT_THAT(all, testing::Not(testing::HasSubstr("roof")));
}

TEST_F(SessionTest, NobodyIsClosedBecauseTheCoreCannotCheckThem) {
  const auto client = bench_.Open(std::nullopt);
  bench_.core.Fail(base::Unavailable("away"));
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"t"}})");
  bench_.Pass(std::chrono::milliseconds(12'000));
  EXPECT_EQ(client->connection.close_code(), 0) << "it is being checked";
  bench_.RunAnswers();
  bench_.Pass(std::chrono::milliseconds(9'750));
  EXPECT_EQ(client->connection.close_code(), 0) << "it may try again";
  bench_.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(client->connection.close_code(), 4408);
}

TEST_F(SessionTest, ClosesWhoNeverAuthenticates) {
  const auto client = bench_.Open(std::nullopt);
  bench_.Pass(std::chrono::milliseconds(9'750));
  EXPECT_EQ(client->connection.close_code(), 0);
  bench_.Pass(std::chrono::milliseconds(250));
  EXPECT_EQ(client->connection.close_code(), 4408);
}

TEST_F(SessionTest, ClosesOnABadCredential) {
  const auto client = bench_.Open(std::nullopt);
  client->connection.Take();
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"bad"}})");
  bench_.RunAnswers();
  EXPECT_EQ(client->connection.Take().at(0)["data"]["code"], "AUTHENTICATION_FAILED");
  EXPECT_EQ(client->connection.close_code(), 4401);
}

TEST_F(SessionTest, NamesEachReasonForARefusedCredential) {
  struct Row {
    absl::Status status;
    std::string code;
    int close_code;
  };
  const std::vector<Row> rows = {
      {access::WithReason(base::Unauthenticated("x"), access::reason::kInvalidApiKey),
       "INVALID_API_KEY", 4401},
      {base::PermissionDenied("x"), "ACCESS_DENIED", 4401},
      {base::Unavailable("x"), "UPSTREAM_UNAVAILABLE", 0},
      {base::DeadlineExceeded("x"), "UPSTREAM_UNAVAILABLE", 0},
      {access::WithRetryAfter(base::ResourceExhausted("x"), std::chrono::seconds(3)),
       "RATE_LIMIT_EXCEEDED", 0}};
  for (const Row& row : rows) {
    const auto client = bench_.Open(std::nullopt);
    client->connection.Take();
    bench_.core.Fail(row.status);
    client->session->OnText(R"({"type":"Authenticate","data":{"api_key":"k"}})");
    bench_.RunAnswers();
    const json error = client->connection.Take().at(0)["data"];
    EXPECT_EQ(error["code"], row.code);
    EXPECT_EQ(client->connection.close_code(), row.close_code) << row.code;
    EXPECT_EQ(error.contains("retry_after_ms"), row.close_code == 0);
  }
}

TEST_F(SessionTest, LooksAtACredentialThatEndsInYears) {
  access::Principal principal = SessionBench::Principal("u");
  principal.expires_at = base::Time(std::chrono::hours(24 * 365 * 7'900));
  const auto client = bench_.Open(principal);
  client->connection.Take();
  bench_.Pass(std::chrono::seconds(31));
  EXPECT_THAT(Types(*client), ElementsAre("Heartbeat", "Heartbeat"));
  bench_.clock.SetNow(*principal.expires_at);
  bench_.Pass(std::chrono::seconds(6));
  EXPECT_EQ(client->connection.close_code(), 4401) << "soon after the time of day was set";
}

TEST_F(SessionTest, TakesACredentialThatEndsAtOnce) {
  const auto client = bench_.Open(std::nullopt);
  bench_.Pass(std::chrono::seconds(3));
  access::Principal principal = SessionBench::Principal("u");
  principal.expires_at = bench_.clock.Now() + std::chrono::seconds(1);
  bench_.core.Know("short", principal);
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"short"}})");
  bench_.RunAnswers();
  bench_.Pass(std::chrono::milliseconds(1'250));
  EXPECT_EQ(client->connection.close_code(), 4401);
}

TEST_F(SessionTest, WarnsBeforeTheCredentialEndsAndTakesAFreshOne) {
  access::Principal principal = SessionBench::Principal("u");
  principal.expires_at = bench_.clock.Now() + std::chrono::seconds(90);
  const auto client = bench_.Open(principal);
  client->connection.Take();
  bench_.Pass(std::chrono::seconds(29));
  EXPECT_THAT(Types(*client), ElementsAre("Heartbeat"));
  bench_.Pass(std::chrono::seconds(2));
  EXPECT_THAT(Types(*client), UnorderedElementsAre("Heartbeat", "CredentialExpiring"));
  principal.expires_at = bench_.clock.Now() + std::chrono::seconds(600);
  bench_.core.Know("fresh", principal);
  bench_.core.Know("other", SessionBench::Principal("someone else"));
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"other"}})");
  bench_.RunAnswers();
  EXPECT_EQ(client->connection.Take().at(0)["data"]["code"], "ACCESS_DENIED");
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"unknown"}})");
  bench_.RunAnswers();
  EXPECT_EQ(client->connection.Take().at(0)["data"]["code"], "AUTHENTICATION_FAILED");
  EXPECT_EQ(client->connection.close_code(), 0) << "the old one still lasts";
  client->session->OnText(R"({"type":"Authenticate","data":{"token":"fresh"}})");
  bench_.RunAnswers();
  EXPECT_THAT(Types(*client), ElementsAre("Authenticated"));
  bench_.Pass(std::chrono::seconds(120));
  EXPECT_EQ(client->connection.close_code(), 0);
  bench_.Pass(std::chrono::seconds(500));
  EXPECT_EQ(client->connection.close_code(), 4401);
}

TEST_F(SessionTest, EndsWhenItsKeyIsRevoked) {
  access::Principal principal = SessionBench::Principal("u");
  principal.key_id = "k1";
  const auto revoked = bench_.Open(principal);
  const auto other = bench_.OpenAs("u");
  for (const auto* client : {revoked.get(), other.get()}) {
    client->session->OnKeyRevoked("k2");
    EXPECT_EQ(client->connection.close_code(), 0);
    client->session->OnKeyRevoked("k1");
    client->session->OnKeyRevoked("");
  }
  EXPECT_EQ(revoked->connection.close_code(), 4401);
  EXPECT_EQ(other->connection.close_code(), 0);
  bench_.revoked_keys.insert("k1");
  EXPECT_EQ(bench_.Open(principal)->connection.close_code(), 4401)
      << "revoked while it was checked";
}

TEST_F(SessionTest, StreamsWhatIsSubscribedAndNothingElse) {
  const auto client = bench_.OpenAs("u");
  const json subscribed = Subscribe(*client, R"("channels":["meter:m1","meter:m2"])");
  EXPECT_EQ(subscribed["channels"], json::parse(R"(["meter:m1","meter:m2"])"));
  EXPECT_EQ(subscribed["filter"], nullptr);
  EXPECT_EQ(subscribed["epoch"], "epoch-1");
  EXPECT_EQ(subscribed["replaying"], false);
  bench_.Append(SessionBench::Minted("u", "m1"));
  bench_.Append(SessionBench::Minted("u", "m3"));
  bench_.Append(SessionBench::Minted("v", "m1"));
  bench_.Append(SessionBench::Minted("u", "m2"));
  EXPECT_THAT(ReadEvents(*client, 2), ElementsAre(1, 4));
}

TEST_F(SessionTest, TellsCaughtUpDirectlyWithoutHistory) {
  const auto client = bench_.OpenAs("u");
  client->session->OnText(R"({"type":"Subscribe","id":"a","data":{"meters":["m"]}})");
  const std::vector<json> messages = client->connection.Take();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0]["id"], "a");
  EXPECT_EQ(messages[0]["data"]["channels"], nullptr);
  EXPECT_EQ(messages[0]["data"]["filter"],
            json::parse(R"({"event_types":[],"meters":["m"],"min_amount":null})"));
  EXPECT_EQ(messages[1]["type"], "CaughtUp");
}

TEST_F(SessionTest, NeverShowsAnEventOfSomebodyElse) {
  const auto u = bench_.OpenAs("u");
  const auto v = bench_.OpenAs("v");
  const auto admin = bench_.OpenAs("admin");
  for (const std::string& members :
       {std::string(R"("channels":["user:v"])"), std::string(R"("channels":["batches"])")}) {
    EXPECT_EQ(ErrorCode(*u, R"({"type":"Subscribe","id":1,"data":{)" + members + "}}"),
              "ACCESS_DENIED");
  }
  Subscribe(*u, R"("event_types":[],"start":"beginning")");
  Subscribe(*v, R"("channels":["meter:m","user:v"])");
  Subscribe(*admin, R"("channels":["user:u","user:v","batches"])");
  for (int i = 0; i < 10; ++i) bench_.Append(SessionBench::Minted(i % 2 == 0 ? "u" : "v", "m"));
  bench_.Append(domain::BatchMintingCompleted{"b", 1, 1, 0, 0, 0});
  EXPECT_THAT(ReadEvents(*u, 5), ElementsAre(1, 3, 5, 7, 9));
  EXPECT_THAT(ReadEvents(*v, 5), ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(ReadEvents(*admin, 11), SizeIs(11));
}

TEST_F(SessionTest, NeverShowsHistoryOfSomebodyElse) {
  for (int i = 0; i < 10; ++i) {
    bench_.Append(SessionBench::Minted(i % 2 == 0 ? "u" : "v", "m"), Where::kCoreOnly);
  }
  const auto u = bench_.OpenAs("u");
  EXPECT_EQ(Subscribe(*u, R"("channels":["meter:m"],"start":"beginning")")["replaying"], true);
  EXPECT_THAT(ReadEvents(*u, 5), ElementsAre(1, 3, 5, 7, 9));
  ASSERT_THAT(bench_.core.requests(), testing::Not(IsEmpty()));
  EXPECT_EQ(bench_.core.requests()[0].scope.user_id, "u");
  ASSERT_TRUE(bench_.core.requests()[0].filter.has_value());
  EXPECT_THAT(bench_.core.requests()[0].filter->meter_ids, ElementsAre("m"));
}

TEST_F(SessionTest, WantsNoHistoryOfWhatItHasUnsubscribed) {
  bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m"],"start":"beginning")");
  ASSERT_THAT(bench_.core.requests(), SizeIs(1));
  EXPECT_FALSE(bench_.core.requests()[0].wanted.expired());
  Ask(*client, R"({"type":"Unsubscribe"})");
  EXPECT_TRUE(bench_.core.requests()[0].wanted.expired());
}

TEST_F(SessionTest, ServesAViewerWithPublicEventsOnly) {
  access::Principal viewer;
  viewer.roles = {access::Role::kViewer};
  const auto client = bench_.Open(viewer);
  client->connection.Take();
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Subscribe","channels":["user:u"]})"), "ACCESS_DENIED");
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  bench_.Append(SessionBench::Minted("u", "m"));
  bench_.Pass(std::chrono::seconds(15));
  EXPECT_THAT(Types(*client), testing::Contains("Heartbeat"));
  EXPECT_EQ(bench_.registry.size(), 1u);
}

TEST_F(SessionTest, ReplaysHistoryThenGoesOnLive) {
  for (int i = 0; i < 1'000; ++i) {
    bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  }
  for (int i = 0; i < 10; ++i) bench_.Append(SessionBench::Minted("u", "m"));
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  std::vector<std::int64_t> expected(1'010);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(ReadEvents(*client, 1'010), expected);
  bench_.RunUntil([&] {
    for (const json& message : client->connection.Take()) others_.push_back(message);
    return !others_.empty();
  });
  EXPECT_EQ(others_[0]["type"], "CaughtUp");
  EXPECT_EQ(others_[0]["data"]["sequence"], 1'010);
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(1'011));
}

TEST_F(SessionTest, ResumesBehindCursorAndLastSequence) {
  const auto first = bench_.OpenAs("u");
  const std::string cursor = Subscribe(*first, R"("channels":["meter:m1","meter:m2"])")["cursor"];
  for (int i = 0; i < 10; ++i) bench_.Append(SessionBench::Minted("u", "m1"));
  const auto resume = [&](const std::string& members) {
    const auto client = bench_.OpenAs("u");
    Subscribe(*client,
              R"("channels":["meter:m2","meter:m1"],"resume":")" + cursor + "\"" + members);
    client->session->OnText(R"({"type":"Ping"})");
    return ReadEvents(*client, 1).front();
  };
  EXPECT_EQ(resume(""), 1) << "in any order of channels";
  EXPECT_EQ(resume(R"(,"last_seq":6)"), 7);
  EXPECT_EQ(resume(R"(,"last_seq":0)"), 1);
}

TEST_F(SessionTest, NamesWhyACursorIsRefused) {
  const auto first = bench_.OpenAs("u");
  const std::string cursor = Subscribe(*first, R"("meters":["m"])")["cursor"];
  const auto client = bench_.OpenAs("u");
  const auto code = [&](Client& who, const std::string& members) {
    return ErrorCode(who, R"({"type":"Subscribe","data":{)" + members + "}}");
  };
  EXPECT_EQ(code(*client, R"("meters":["m"],"resume":"forged")"), "INVALID_CURSOR");
  EXPECT_EQ(code(*client, R"("meters":["x"],"resume":")" + cursor + "\""),
            "CURSOR_FILTER_MISMATCH");
  const auto other = bench_.OpenAs("v");
  EXPECT_EQ(code(*other, R"("meters":["m"],"resume":")" + cursor + "\""), "CURSOR_SCOPE_MISMATCH");
  EXPECT_EQ(code(*client, R"("meters":["m"],"last_seq":99,"resume":")" + cursor + "\""),
            "UPSTREAM_UNAVAILABLE")
      << "another bridge may have shown it";
  bench_.upstream.epoch = "epoch-2";
  EXPECT_EQ(code(*client, R"("meters":["m"],"resume":")" + cursor + "\""), "CURSOR_EPOCH_MISMATCH");
  EXPECT_EQ(client->connection.close_code(), 0);
  Subscribe(*client, R"("meters":["m"])");
}

TEST_F(SessionTest, AddsChannelsToARunningStreamAtItsPosition) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m1"])");
  bench_.Append(SessionBench::Minted("u", "m2"));
  bench_.Append(SessionBench::Minted("u", "m1"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(2));
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Subscribe","channels":["meter:m2"],"start":"now"})"),
            "INVALID_SUBSCRIPTION_DATA");
  const json subscribed = Subscribe(*client, R"("channels":["meter:m2"])");
  EXPECT_EQ(subscribed["added"], json::parse(R"(["meter:m2"])"));
  EXPECT_EQ(subscribed["channels"], json::parse(R"(["meter:m1","meter:m2"])"));
  bench_.Append(SessionBench::Minted("u", "m1"));
  bench_.Append(SessionBench::Minted("u", "m2"));
  EXPECT_THAT(ReadEvents(*client, 2), ElementsAre(3, 4));
}

TEST_F(SessionTest, DeliversOverlappingChannelsOnce) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m","user:u"])");
  bench_.Append(SessionBench::Minted("u", "m"));
  bench_.Append(SessionBench::Minted("u", "x"));
  EXPECT_THAT(ReadEvents(*client, 2), ElementsAre(1, 2));
}

TEST_F(SessionTest, FiltersByTypeAndAmount) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":["tokens_minted"],"min_amount":0.5)");
  bench_.Append(SessionBench::Minted("u", "m", 499'999'999));
  bench_.Append(domain::TaskCreated{1, "u", "m", SessionBench::ReadingId(),
                                    domain::Energy::FromNanoKwh(1'000'000'000)});
  bench_.Append(SessionBench::Minted("u", "m", 500'000'000));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(3));
}

TEST_F(SessionTest, ReplacesAFilterByALaterOne) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("meters":["m1"])");
  Subscribe(*client, R"("meters":["m2"])");
  bench_.Append(SessionBench::Minted("u", "m1"));
  bench_.Append(SessionBench::Minted("u", "m2"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(2));
  const json subscribed = Subscribe(*client, R"("channels":["meter:m1"],"start":"beginning")");
  EXPECT_EQ(subscribed["filter"], nullptr);
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(1));
}

TEST_F(SessionTest, UnsubscribesChannelsOrEverything) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m1","meter:m2","system"])");
  json answer = Ask(*client, R"({"type":"UNSUBSCRIBE","id":3,"data":{"room":"meter:m1"}})");
  EXPECT_EQ(answer["type"], "Unsubscribed");
  EXPECT_EQ(answer["id"], 3);
  EXPECT_EQ(answer["data"]["removed"], json::parse(R"(["meter:m1"])"));
  EXPECT_EQ(answer["data"]["channels"], json::parse(R"(["meter:m2","system"])"));
  EXPECT_TRUE(answer["data"].contains("cursor"));
  bench_.Append(SessionBench::Minted("u", "m1"));
  bench_.Append(SessionBench::Minted("u", "m2"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(2));
  answer = Ask(*client, R"({"type":"Unsubscribe"})");
  EXPECT_THAT(answer["data"]["channels"], IsEmpty());
  EXPECT_FALSE(answer["data"].contains("cursor"));
  bench_.Append(SessionBench::Minted("u", "m2"));
  bench_.Pass(std::chrono::seconds(15));
  EXPECT_THAT(Types(*client), ElementsAre("Heartbeat"));
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Unsubscribe","channels":["meter:unknown"]})"),
            "Unsubscribed");
}

TEST_F(SessionTest, LimitsSubscriptions) {
  const auto client = bench_.OpenAs("u");
  std::string channels;
  for (int i = 0; i < 20; ++i)
    channels += (i > 0 ? ",\"meter:" : "\"meter:") + std::to_string(i) + '"';
  Subscribe(*client, R"("channels":[)" + channels + "]");
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Subscribe","channels":["task:1"]})"),
            "SUBSCRIPTION_LIMIT_EXCEEDED");
  Subscribe(*client, R"("channels":["user:u"])");
}

TEST_F(SessionTest, CarriesTheCursorOnWhileNothingMatches) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("meters":["m"])");
  for (int i = 0; i < 5; ++i) bench_.Append(SessionBench::Minted("v", "other"));
  json heartbeat;
  bench_.RunUntil([&] {
    bench_.Pass(std::chrono::seconds(15));
    heartbeat = client->connection.Take().back();
    return heartbeat["data"]["delivered_sequence"] == 5;
  });
  EXPECT_EQ(heartbeat["data"]["head_sequence"], 5);
  EXPECT_EQ(heartbeat["data"]["upstream"], "connected");
  const auto next = bench_.OpenAs("u");
  Subscribe(*next, R"("meters":["m"],"resume":)" + heartbeat["data"]["cursor"].dump());
}

TEST_F(SessionTest, SharesOneFrameBetweenTwoTabs) {
  const auto first = bench_.OpenAs("u");
  const auto second = bench_.OpenAs("u");
  Subscribe(*first, R"("channels":["user:u"])");
  Subscribe(*second, R"("meters":["m"])");
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*first, 1), ElementsAre(1));
  EXPECT_THAT(ReadEvents(*second, 1), ElementsAre(1));
  EXPECT_EQ(first->connection.last_frame(), second->connection.last_frame());
  EXPECT_EQ(bench_.frames.encoded_count(), 1);
}

TEST_F(SessionTest, BoundsWhatWaitsForASlowReaderAndLosesNothing) {
  const auto slow = bench_.OpenAs("u");
  const auto quick = bench_.OpenAs("u");
  Subscribe(*slow, R"("event_types":[])");
  Subscribe(*quick, R"("event_types":[])");
  slow->connection.Take();
  slow->connection.Stall();
  constexpr std::int64_t kEvents = 5'000;  // some 2 MB
  for (std::int64_t i = 0; i < kEvents; ++i) bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*quick, kEvents), SizeIs(kEvents)) << "does not wait for the slow one";
  EXPECT_LE(slow->connection.pending_max(), bench_.options.queue_bytes_max + 128 * 1024);

  std::vector<std::int64_t> seen;
  std::vector<std::string> told;
  while (seen.size() < kEvents) {
    for (const json& message : slow->connection.Take()) {
      if (message.contains("seq")) {
        seen.push_back(message["seq"]);
      } else {
        told.push_back(message["type"]);
      }
    }
    if (seen.size() == kEvents) break;
    slow->connection.Drain();
    slow->connection.Stall();
    slow->session->OnWritable();
    bench_.RunAnswers();
  }
  std::vector<std::int64_t> expected(kEvents);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(std::count(told.begin(), told.end(), "FellBehind"), 1);
}

TEST_F(SessionTest, SharesOneSubscriptionWithThoseThatWantTheSame) {
  const auto first = bench_.OpenAs("u");
  const auto second = bench_.OpenAs("u");
  const auto other_user = bench_.OpenAs("v");
  for (const auto* client : {&first, &second, &other_user}) {
    Subscribe(**client, R"("event_types":[])");
  }
  EXPECT_EQ(bench_.hub.subscribers_count(), 2u);
  bench_.Append(SessionBench::Minted("u", "m"));
  bench_.Append(SessionBench::Minted("v", "m"));
  EXPECT_THAT(ReadEvents(*first, 1), ElementsAre(1));
  EXPECT_THAT(ReadEvents(*second, 1), ElementsAre(1));
  EXPECT_THAT(ReadEvents(*other_user, 1), ElementsAre(2));
}

TEST_F(SessionTest, GetsNothingFromBeforeItsStartThroughOthers) {
  const auto first = bench_.OpenAs("u");
  Subscribe(*first, R"("event_types":[])");
  for (int i = 0; i < 3; ++i) bench_.Append(SessionBench::Minted("u", "m"));
  const auto second = bench_.OpenAs("u");
  Subscribe(*second, R"("event_types":[])");
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*second, 1), ElementsAre(4));
  EXPECT_THAT(ReadEvents(*first, 4), ElementsAre(1, 2, 3, 4));
}

TEST_F(SessionTest, TellsThatItFellBehindOnceAndCaughtUpAgain) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[])");
  others_.clear();
  client->connection.Stall();
  for (int i = 0; i < 2'000; ++i) bench_.Append(SessionBench::Minted("u", "m"));
  bench_.RunUntil(
      [&] { return client->connection.PendingBytes() >= bench_.options.queue_bytes_max; });
  client->session->Pump();
  client->connection.Drain();
  client->session->OnWritable();
  ReadEvents(*client, 2'000);
  std::vector<std::string> told;
  for (const json& message : others_) told.push_back(message["type"]);
  for (const std::string& type : Types(*client)) told.push_back(type);
  EXPECT_THAT(told, ElementsAre("FellBehind", "CaughtUp"));
}

TEST_F(SessionTest, FallsBackToTheCoreWhenItIsOutOfTheTail) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[])");
  bench_.Append(SessionBench::Minted("u", "m"));
  EXPECT_THAT(ReadEvents(*client, 1), ElementsAre(1));
  for (int i = 0; i < 5; ++i) bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  EXPECT_THAT(ReadEvents(*client, 5), ElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(others_, testing::Contains(testing::ResultOf(
                           [](const json& message) { return message["type"]; }, "FellBehind")));
}

TEST_F(SessionTest, AsksTheCoreAgainWhenItIsAway) {
  for (int i = 0; i < 3; ++i) bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  const auto client = bench_.OpenAs("u");
  bench_.core.Fail(base::Unavailable("away"));
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  bench_.RunAnswers();
  bench_.Pass(std::chrono::milliseconds(1'500));
  bench_.RunAnswers();
  EXPECT_GE(bench_.core.requests().size(), 2u);
  EXPECT_LE(bench_.core.requests().size(), 3u) << "not in a loop";
  bench_.core.Fail(absl::OkStatus());
  bench_.Pass(std::chrono::milliseconds(1'500));
  EXPECT_THAT(ReadEvents(*client, 3), ElementsAre(1, 2, 3));
}

TEST_F(SessionTest, EndsWhenTheCoreRefusesHistoryForGood) {
  for (int i = 0; i < 3; ++i) bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  const auto client = bench_.OpenAs("u");
  bench_.core.Fail(base::PermissionDenied("not yours"));
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  bench_.RunAnswers();
  EXPECT_EQ(client->connection.Take().at(0)["data"]["code"], "INTERNAL");
  EXPECT_EQ(client->connection.close_code(), 1011) << "rather than silence";
}

TEST_F(SessionTest, SaysThatHistoryIsGone) {
  for (int i = 0; i < 3; ++i) bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  bench_.log.CompactBefore(3);
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  bench_.RunAnswers();
  EXPECT_EQ(client->connection.Take().at(0)["data"]["code"], "CURSOR_COMPACTED");
  EXPECT_EQ(client->connection.close_code(), 4503);
}

TEST_F(SessionTest, DropsAnAnswerThatIsNoLongerWanted) {
  for (int i = 0; i < 3; ++i) bench_.Append(SessionBench::Minted("u", "m"), Where::kCoreOnly);
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[],"start":"beginning")");
  Ask(*client, R"({"type":"Unsubscribe"})");
  bench_.RunAnswers();
  EXPECT_THAT(client->connection.Take(), IsEmpty());

  auto gone = bench_.OpenAs("u");
  Subscribe(*gone, R"("event_types":[],"start":"beginning")");
  gone->session->OnText(R"({"type":"Authenticate","data":{"token":"t"}})");
  gone->session->OnClose(1006);
  gone.reset();
  EXPECT_EQ(bench_.core.waiting_count(), 2u);
  bench_.RunAnswers();
}

TEST_F(SessionTest, RefusesToSubscribeBeforeTheCoreWasReached) {
  bench_.upstream.epoch.clear();
  const auto client = bench_.OpenAs("u");
  const json answer = Ask(*client, R"({"type":"Subscribe","channels":["user:u"]})");
  EXPECT_EQ(answer["data"]["code"], "UPSTREAM_UNAVAILABLE");
  EXPECT_GT(answer["data"]["retry_after_ms"], 0);
}

TEST_F(SessionTest, EndsTheStreamOnAnEventThatCannotBeRead) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[])");
  domain::EventAttributes attributes;
  attributes.user_id = "u";
  bench_.hub.Publish({{1, std::make_shared<const store::EventRecord::Body>("\xff", attributes)}});
  bench_.RunUntil([&] { return client->connection.close_code() != 0; });
  EXPECT_EQ(client->connection.close_code(), 1011);
}

TEST_F(SessionTest, WarnsRefusesAndClosesWhoSendsTooMuch) {
  const auto client = bench_.OpenAs("u");
  std::vector<std::string> types;
  for (int i = 0; i < 20; ++i) {
    client->session->OnText(R"({"type":"Ping"})");
    for (const std::string& type : Types(*client)) types.push_back(type);
  }
  EXPECT_EQ(std::count(types.begin(), types.end(), "Pong"), 20);
  EXPECT_EQ(std::count(types.begin(), types.end(), "RateLimitWarning"), 1);
  json error = Ask(*client, R"({"type":"Ping"})");
  EXPECT_EQ(error["data"]["code"], "RATE_LIMIT_EXCEEDED");
  EXPECT_GT(error["data"]["retry_after_ms"], 0);
  EXPECT_LE(error["data"]["retry_after_ms"], 1'001);
  bench_.clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(ErrorCode(*client, R"({"type":"Ping"})"), "Pong");
  for (int i = 0; i < 25; ++i) client->session->OnText("{}");
  EXPECT_EQ(client->connection.close_code(), 4429);
}

TEST_F(SessionTest, ClosesWhoGoesOnAskingAndReadsNoAnswer) {
  const auto client = bench_.OpenAs("u");
  client->connection.Stall();
  for (int i = 0; i < 20'000 && client->connection.close_code() == 0; ++i) {
    client->session->OnText(R"({"type":"Ping","id":")" + std::string(64, 'i') + R"("})");
    bench_.clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(client->connection.close_code(), 4429);
  EXPECT_GT(client->connection.PendingBytes(), bench_.options.unread_bytes_max);
  EXPECT_LT(client->connection.PendingBytes(), bench_.options.unread_bytes_max + 1024);
}

TEST_F(SessionTest, AnswersEveryBadFrameWithOneError) {
  const auto client = bench_.OpenAs("u");
  for (const char* text :
       {"", "{", "[]", "{}", R"({"type":"x"})", R"({"type":"SUBSCRIBE","data":{"room":"j"}})"}) {
    client->session->OnText(text);
    EXPECT_THAT(Types(*client), ElementsAre("Error")) << text;
  }
  EXPECT_EQ(client->connection.close_code(), 0);
}

// Field 77, of which nobody knows anything yet.
constexpr char kLaterFact[] = "\xea\x04\x03xyz";

TEST_F(SessionTest, AnEventOfALaterVersionEndsNoSessionAndGoesToAdminsAlone) {
  for (const auto where : {Where::kTail, Where::kCoreOnly}) {
    const auto admin = bench_.OpenAs("admin");
    const auto user = bench_.OpenAs("u");
    const auto by_type = bench_.OpenAs("admin");
    Subscribe(*admin, R"("event_types":[])");
    Subscribe(*user, R"("event_types":[])");
    Subscribe(*by_type, R"("event_types":["MeterReadingReceived","TokensMinted"])");
    for (const auto* client : {&admin, &user, &by_type}) (*client)->connection.Take();
    const std::int64_t unknown = bench_.AppendPayload(kLaterFact, where);
    const std::int64_t known = bench_.Append(SessionBench::Minted("u", "m"), where);
    const auto sequences = [&](Client& client) {
      std::vector<std::int64_t> seen;
      bench_.RunUntil([&] {
        client.session->Pump();
        for (const json& message : client.connection.Take()) {
          if (message.contains("seq")) seen.push_back(message["seq"]);
        }
        return !seen.empty() && seen.back() == known;
      });
      return seen;
    };
    EXPECT_THAT(sequences(*admin), ElementsAre(unknown, known));
    EXPECT_THAT(sequences(*user), ElementsAre(known));
    EXPECT_THAT(sequences(*by_type), ElementsAre(known));
    EXPECT_EQ(admin->connection.close_code(), 0);
  }
}

TEST_F(SessionTest, BroadcastsToThoseWhoAskedForTheChannel) {
  const auto client = bench_.OpenAs("u");
  const ServerMessages& messages = bench_.context.messages.front();
  const ByEncoding<SharedFrame> status = {messages.SystemStatus(1, bench_.upstream)};
  client->session->Broadcast(Channel::Kind::kSystem, status);
  EXPECT_THAT(Types(*client), IsEmpty());
  EXPECT_FALSE(Subscribe(*client, R"("channels":["system"])").contains("cursor"));
  client->session->Broadcast(Channel::Kind::kSystem, status);
  client->session->Broadcast(Channel::Kind::kSystemAlerts,
                             {messages.SystemAlert(domain::Severity::kInfo, "hi")});
  EXPECT_THAT(Types(*client), ElementsAre("SystemStatus"));
}

TEST_F(SessionTest, TellsACursorBeforeItDrains) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("meters":["m"])");
  client->connection.Take();
  client->session->Drain(std::chrono::milliseconds(1'500));
  const json draining = client->connection.Take().at(0);
  EXPECT_EQ(draining["type"], "Draining");
  EXPECT_EQ(draining["data"]["reconnect_after_ms"], 1'500);
  client->session->OnText(R"({"type":"Ping"})");
  client->session->Drain(std::chrono::seconds(1));
  bench_.Pass(std::chrono::seconds(20));
  EXPECT_THAT(client->connection.Take(), IsEmpty()) << "nothing behind it";
  const auto next = bench_.OpenAs("u");
  Subscribe(*next, R"("meters":["m"],"resume":)" + draining["data"]["cursor"].dump());
}

TEST_F(SessionTest, ClosesWhenTheLogIsReplaced) {
  const auto client = bench_.OpenAs("u");
  client->session->OnLogReplaced();
  EXPECT_EQ(client->connection.close_code(), 4503);
}

TEST_F(SessionTest, LeavesTheRegistryWhenItEnds) {
  auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("event_types":[])");
  EXPECT_EQ(bench_.registry.size(), 1u);
  int visited = 0;
  bench_.registry.ForEach([&](Session&) { ++visited; });
  EXPECT_EQ(visited, 1);
  client->session->OnClose(1000);
  client.reset();
  EXPECT_EQ(bench_.registry.size(), 0u);
  EXPECT_EQ(bench_.hub.subscribers_count(), 0u);
  bench_.Append(SessionBench::Minted("u", "m"));
}

}  // namespace
}  // namespace wattmint::bridge
