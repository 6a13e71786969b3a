// SPDX-License-Identifier: Apache-2.0
// Jobs that are told as they stand, and what happens to them behind that. What concerns no job is
// in session_test.cc.
#include "bridge/session_subscriptions.h"

#include "core/base/status.h"
#include "tests/bridge/session_bench.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Client = SessionBench::Client;

class SessionSubscriptionsTest : public testing::Test {
 protected:
  static domain::MintTask Task(std::int64_t task_id, domain::MintState state,
                               const std::string& user = "u") {
    domain::MintTask task;
    task.task_id = task_id;
    task.reading_id = SessionBench::ReadingId();
    task.meter_id = "m";
    task.user_id = user;
    task.state = state;
    task.energy = domain::Energy::FromNanoKwh(1'250'000'000);
    return task;
  }
  // A change of a task of that batch.
  std::int64_t Change(const std::string& batch_id, std::int64_t task_id = 1) {
    return bench_.Append(domain::TaskStatusChanged{task_id, "u", "m", batch_id,
                                                   domain::MintState::kSubmitted,
                                                   domain::MintState::kConfirmed, ""});
  }
  static void Subscribe(Client& client, const std::string& members, int id = 1) {
    client.session->OnText(R"({"type":"Subscribe","id":)" + std::to_string(id) + R"(,"data":{)" +
                           members + "}}");
  }
  // What came, in short: "Subscribed", "JobSnapshot b at 3: 1 2", an event's sequence.
  std::vector<std::string> Take(Client& client) {
    std::vector<std::string> lines;
    for (const json& message : client.connection.Take()) {
      std::string line = message["type"];
      if (message.contains("seq")) line = std::to_string(message["seq"].get<std::int64_t>());
      if (line == "Error") line += " " + message["data"]["code"].get<std::string>();
      if (line == "JobSnapshot") {
        const json& data = message["data"];
        line += fmt::format(" {} at {}:", data["job_id"].get<std::string>(),
                            data["sequence"].get<std::int64_t>());
        for (const json& task : data["tasks"]) line += " " + task["task_id"].get<std::string>();
        if (data["more"]) line += " ...";
      }
      lines.push_back(line);
    }
    return lines;
  }
  void Settle(Client& client) {
    bench_.RunAnswers();
    client.session->Pump();
  }

  SessionBench bench_;
};

TEST_F(SessionSubscriptionsTest, AJobIsToldAsItStandsThenWhatHappensToIt) {
  Change("b");
  Change("b");
  bench_.core.Set("b",
                  {Task(1, domain::MintState::kSubmitted), Task(2, domain::MintState::kParked)});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  EXPECT_THAT(Take(*client), IsEmpty()) << "nothing before the core has answered";
  const std::int64_t before = Change("b");  // the answer is of after it
  Settle(*client);
  const std::int64_t after = Change("b");
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot b at 3: 1 2", "CaughtUp",
                                         std::to_string(after)));
  EXPECT_EQ(before, 3) << "it is in the snapshot, and does not come again";
  EXPECT_EQ(bench_.core.batch_requests().at(0).scope.user_id, "u");
}

TEST_F(SessionSubscriptionsTest, ATaskIsToldByTheNamesOfItsEvents) {
  domain::MintTask task = Task(7, domain::MintState::kParked);
  task.tokens = domain::TokenAmount::FromBaseUnits(1'250'000'000);
  task.wallet_address = "w";
  task.transaction_signature = "sig";
  task.reason = "CONFLICT: \"why\"";
  task.create_time = task.update_time = base::Time(std::chrono::seconds(1'767'608'100));
  bench_.core.Set("b", {task});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  Settle(*client);
  json expected = json::parse(
      R"({"task_id":"7","user_id":"u","meter_id":"m","kwh_amount":1.25,"status":"PARKED",)"
      R"("tokens_minted":1250000000,"wallet_address":"w","transaction_signature":"sig",)"
      R"("reason":"CONFLICT: \"why\"","created_at":"2026-01-05T10:15:00Z",)"
      R"("updated_at":"2026-01-05T10:15:00Z"})");
  expected["reading_id"] = SessionBench::ReadingId().ToString();
  EXPECT_EQ(client->connection.Take().at(1)["data"]["tasks"].at(0), expected);
}

TEST_F(SessionSubscriptionsTest, AJobThatJoinsARunningStreamCostsNoEvent) {
  bench_.core.Set("b", {Task(1, domain::MintState::kSubmitted)});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m2"])");
  Settle(*client);
  Take(*client);
  Subscribe(*client, R"("channels":["job:b"])");
  const std::int64_t other = bench_.Append(SessionBench::Minted("u", "m2"));
  const std::int64_t in_snapshot = Change("b");
  client->session->Pump();
  EXPECT_THAT(Take(*client), IsEmpty()) << "the stream stands still";
  Settle(*client);
  const std::int64_t behind = Change("b");
  Settle(*client);
  EXPECT_THAT(Take(*client),
              ElementsAre("Subscribed", "JobSnapshot b at 2: 1", std::to_string(other),
                          std::to_string(in_snapshot), "CaughtUp", std::to_string(behind)))
      << "the client passes over what is at most the snapshot's sequence";
}

TEST_F(SessionSubscriptionsTest, SeveralJobsJoinAtTheFirstOfThem) {
  bench_.core.Set("a", {Task(1, domain::MintState::kSubmitted)});
  bench_.core.Set("b", {Task(2, domain::MintState::kSubmitted)});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:a","job:b","job:a"])");
  Change("a");
  ASSERT_TRUE(bench_.core.RunOne());
  const std::int64_t between = Change("a");
  Settle(*client);
  EXPECT_THAT(Take(*client),
              ElementsAre("Subscribed", "JobSnapshot a at 1: 1", "JobSnapshot b at 2: 2",
                          std::to_string(between), "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, IsAllOrNothing) {
  bench_.core.Set("a", {Task(1, domain::MintState::kSubmitted)});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m2"])");
  Settle(*client);
  Take(*client);
  Subscribe(*client, R"("channels":["job:a","job:b"])");
  const std::int64_t event = bench_.Append(SessionBench::Minted("u", "m2"));
  ASSERT_TRUE(bench_.core.RunOne());
  bench_.core.Fail(base::Unavailable("away"));
  Settle(*client);
  const std::vector<json> messages = client->connection.Take();
  ASSERT_THAT(messages, SizeIs(3));
  EXPECT_EQ(messages[0]["type"], "Error");
  EXPECT_EQ(messages[0]["id"], 1);
  EXPECT_EQ(messages[0]["data"]["code"], "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(messages[0]["data"]["channel"], "job:b");
  EXPECT_GT(messages[0]["data"]["retry_after_ms"], 0);
  EXPECT_EQ(messages[1]["seq"], event) << "what was subscribed goes on where it was";
  EXPECT_EQ(messages[2]["type"], "CaughtUp");
  bench_.core.Fail(absl::OkStatus());
  Change("a");
  Settle(*client);
  EXPECT_THAT(Take(*client), IsEmpty()) << "no job is subscribed";
  Subscribe(*client, R"("channels":["job:a"])");
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot a at 2: 1", "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, AJobOfOthersIsSilent) {
  bench_.core.Set("b", {Task(1, domain::MintState::kSubmitted, "somebody")});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  Settle(*client);
  Subscribe(*client, R"("channels":["job:none"])");
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot b at 0:", "CaughtUp",
                                         "Subscribed", "JobSnapshot none at 0:", "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, WhoSeesWhatIsPublicAloneIsToldNoTaskAndNobodyIsAsked) {
  bench_.core.Set("b", {Task(1, domain::MintState::kSubmitted)});
  access::Principal viewer;
  viewer.user_id = "v";
  viewer.roles = {access::Role::kViewer};
  const auto client = bench_.Open(viewer);
  client->connection.Take();
  Subscribe(*client, R"("channels":["job:b","job:c"])");
  EXPECT_THAT(Take(*client),
              ElementsAre("Subscribed", "JobSnapshot b at 0:", "JobSnapshot c at 0:", "CaughtUp"));
  EXPECT_THAT(bench_.core.batch_requests(), IsEmpty());
}

TEST_F(SessionSubscriptionsTest, WhoResumesHasTheTasksAndGetsAllThatHappenedSince) {
  bench_.core.Set("b", {Task(1, domain::MintState::kSubmitted)});
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  Settle(*client);
  const std::string cursor = client->connection.Take().at(0)["data"]["cursor"];
  const std::int64_t missed = Change("b");
  const auto next = bench_.OpenAs("u");
  Subscribe(*next, R"("channels":["job:b"],"resume":")" + cursor + "\"");
  Settle(*next);
  EXPECT_THAT(Take(*next), ElementsAre("Subscribed", std::to_string(missed), "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, AJobThatIsNamedAgainIsToldAgain) {
  bench_.core.Set("b", {Task(1, domain::MintState::kSubmitted)});
  const auto client = bench_.OpenAs("u");
  for (int i = 0; i < 2; ++i) {
    Subscribe(*client, R"("channels":["job:b"])");
    Settle(*client);
    EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot b at 0: 1", "CaughtUp"));
  }
}

TEST_F(SessionSubscriptionsTest, ManyTasksComeInSeveralFrames) {
  std::vector<domain::MintTask> tasks;
  for (int i = 1; i <= 65; ++i) tasks.push_back(Task(i, domain::MintState::kConfirmed));
  bench_.core.Set("b", tasks);
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  Settle(*client);
  const std::vector<json> messages = client->connection.Take();
  ASSERT_THAT(messages, SizeIs(5));
  std::int64_t next = 1;
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(messages[i]["data"]["more"], i < 3);
    EXPECT_LE(messages[i].dump().size(), bench_.options.frame_bytes_max);
    for (const json& task : messages[i]["data"]["tasks"]) {
      EXPECT_EQ(task["task_id"], std::to_string(next++));
    }
  }
  EXPECT_EQ(next, 66);
}

TEST_F(SessionSubscriptionsTest, TheLargestJobIsToldToASlowClient) {
  const std::string id(64, 'i');
  domain::MintTask task =
      Task(std::numeric_limits<std::int64_t>::max(), domain::MintState::kParked);
  task.user_id = task.meter_id = id;
  task.energy = domain::Energy::FromNanoKwh(999'999'999'999'999);
  task.tokens = domain::TokenAmount::FromBaseUnits(999'999'999'999'999);
  task.wallet_address = std::string(44, 'w');
  task.transaction_signature = std::string(88, 's');
  task.reason = "EXPIRED: signed 100 times and never minted";
  bench_.core.Set(id, std::vector<domain::MintTask>(1'000, task));
  const auto client = bench_.OpenAs(id);
  client->connection.Stall();
  while (client->connection.PendingBytes() < bench_.options.queue_bytes_max - 1'000) {
    client->session->OnText(R"({"type":"Ping"})");
    bench_.clock.Advance(std::chrono::seconds(2));
  }
  Subscribe(*client, R"("channels":["job:)" + id + R"("])");
  Settle(*client);
  EXPECT_EQ(client->connection.close_code(), 0);
  std::size_t told = 0;
  for (const json& message : client->connection.Take()) {
    if (message["type"] == "JobSnapshot") told += message["data"]["tasks"].size();
  }
  EXPECT_EQ(told, 1'000u);
}

TEST_F(SessionSubscriptionsTest, TooManyTasksAtOnceAreRefused) {
  std::vector<domain::MintTask> tasks(1'000, Task(1, domain::MintState::kConfirmed));
  std::string channels;
  for (int i = 0; i < 5; ++i) {
    bench_.core.Set(std::to_string(i), tasks);
    channels += (i == 0 ? "" : ",") + fmt::format(R"("job:{}")", i);
  }
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":[)" + channels + "]");
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Error SUBSCRIPTION_LIMIT_EXCEEDED"));
}

TEST_F(SessionSubscriptionsTest, ChangesAreWorkedOneAfterTheOther) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:a"])", 1);
  Subscribe(*client, R"("channels":["meter:m"])", 2);
  client->session->OnText(R"({"type":"Unsubscribe","id":3,"data":{"channels":["job:a"]}})");
  Subscribe(*client, R"("channels":["job:b"])", 4);
  client->session->OnText(R"({"type":"Ping","id":5})");
  Settle(*client);
  std::vector<int> answered;
  for (const json& message : client->connection.Take()) {
    if (message.contains("id")) answered.push_back(message["id"]);
    if (message["type"] == "Subscribed" && message["id"] == 4) {
      EXPECT_EQ(message["data"]["channels"], json::parse(R"(["meter:m","job:b"])"));
    }
  }
  EXPECT_THAT(answered, ElementsAre(5, 1, 2, 3, 4)) << "a Ping waits for nobody";
}

TEST_F(SessionSubscriptionsTest, ChangesThatWaitAreBounded) {
  const auto client = bench_.OpenAs("u");
  for (int i = 0; i < 40; ++i) {
    Subscribe(*client, R"("channels":["job:a"])", i);
    bench_.clock.Advance(std::chrono::seconds(1));  // below the rate of frames
  }
  std::vector<std::string> lines = Take(*client);
  EXPECT_THAT(lines, SizeIs(19)) << "one is worked, twenty wait";
  EXPECT_THAT(lines, testing::Each("Error RATE_LIMIT_EXCEEDED"));
}

TEST_F(SessionSubscriptionsTest, NoHeartbeatClaimsWhatDidNotCome) {
  const auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["meter:m"])");
  Settle(*client);
  Subscribe(*client, R"("channels":["job:b"])");
  bench_.Append(SessionBench::Minted("u", "m"));
  client->connection.Take();
  bench_.Pass(std::chrono::seconds(40));
  EXPECT_THAT(Take(*client), IsEmpty());
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot b at 1:", "1", "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, ASocketThatTakesNothingIsAskedForLater) {
  const auto client = bench_.OpenAs("u");
  client->connection.Stall();
  while (client->connection.PendingBytes() < bench_.options.queue_bytes_max) {
    client->session->OnText(R"({"type":"Ping","id":")" + std::string(60, 'i') + R"("})");
    bench_.clock.Advance(std::chrono::seconds(1));
  }
  Subscribe(*client, R"("channels":["job:b"])");
  EXPECT_THAT(bench_.core.batch_requests(), IsEmpty());
  client->connection.Drain();
  client->connection.Take();
  client->session->OnWritable();
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Subscribed", "JobSnapshot b at 0:", "CaughtUp"));
}

TEST_F(SessionSubscriptionsTest, AnAnswerThatComesTooLateIsDropped) {
  auto client = bench_.OpenAs("u");
  Subscribe(*client, R"("channels":["job:b"])");
  client->session->Drain(std::chrono::seconds(1));
  Settle(*client);
  EXPECT_THAT(Take(*client), ElementsAre("Draining"));
  auto gone = bench_.OpenAs("u");
  Subscribe(*gone, R"("channels":["job:b"])");
  gone.reset();
  bench_.RunAnswers();
  EXPECT_EQ(bench_.hub.subscribers_count(), 0u);
}

}  // namespace
}  // namespace wattmint::bridge
