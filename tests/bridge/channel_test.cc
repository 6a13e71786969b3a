// SPDX-License-Identifier: Apache-2.0
#include "bridge/channel.h"

#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::bridge {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

constexpr std::string_view kWallet = "4Nd1mYQd8gLVxE6bCpGhJZvXQ2eTzP9wR5sUaKfHtBnM";

TEST(ChannelTest, ReadsAndNamesEveryChannel) {
  for (const std::string& name :
       {std::string("user:a@b.c"), std::string("meter:AUS-17"), "wallet:" + std::string(kWallet),
        std::string("job:01890000-0000-7000-8000-000000000000"),
        std::string("task:9007199254740993"), std::string("batches"), std::string("system"),
        std::string("system_alerts")}) {
    const absl::StatusOr<Channel> channel = Channel::Parse(name);
    ASSERT_THAT(channel, IsOk()) << name;
    EXPECT_EQ(channel->Name(), name);
  }
}

TEST(ChannelTest, RefusesEveryOtherName) {
  struct Row {
    std::string name;
    const char* why;
  };
  const std::vector<Row> rows = {
      {"", "nothing"},
      {"u", "one character, which has killed servers"},
      {"job", "three characters"},
      {"job:", "no id"},
      {"task:x", "a task that is no number"},
      {"task:0", "no task"},
      {"task:-1", "a negative task"},
      {"task:007", "not the canonical number"},
      {"task:9223372036854775808", "too big"},
      {"task:1e3", "an exponent"},
      {"meter:a b", "a blank"},
      {"meter:" + std::string(65, 'm'), "too long"},
      {"wallet:0x00", "no Solana address"},
      {"wallet:" + std::string(44, 'z'), "base58 of more than 32 bytes"},
      {"user:\xc3\xa9", "not ASCII"},
      {std::string("user:a\0b", 8), "a NUL"},
      {"batches:", "an id where there is none"},
      {"System", "another case"},
      {"USER:a", "another case"},
      {"*", "a star"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(Channel::Parse(row.name), StatusIs(absl::StatusCode::kInvalidArgument)) << row.why;
  }
}

TEST(ChannelTest, SaysThatTheMarketIsNotOffered) {
  for (const char* name : {"market:1", "trades", "prices:1,2", "orders:w", "positions:w",
                           "intent:0x1", "solver:0x1", "market_data"}) {
    EXPECT_THAT(Channel::Parse(name),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not offered")))
        << name;
  }
  EXPECT_THAT(Channel::FromObject("Markets", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not offered")));
}

TEST(ChannelTest, ReadsTheObjectSpelling) {
  EXPECT_EQ(Channel::FromObject("Meter", {{"x", "y"}, {"meter_id", "m"}})->Name(), "meter:m");
  EXPECT_EQ(Channel::FromObject("User", {{"user_id", "u"}})->Name(), "user:u");
  EXPECT_EQ(Channel::FromObject("Job", {{"job_id", "j"}})->Name(), "job:j");
  EXPECT_EQ(Channel::FromObject("Task", {{"task_id", "7"}})->Name(), "task:7");
  EXPECT_EQ(Channel::FromObject("SystemStatus", {})->Name(), "system");
  EXPECT_THAT(Channel::FromObject("Meter", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("meter_id")));
  EXPECT_THAT(Channel::FromObject("Nothing", {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChannelTest, LetsThroughWhatItsNameSays) {
  domain::EventAttributes event;
  event.type = domain::EventType::kTokensMinted;
  event.user_id = "u";
  event.meter_id = "m";
  event.wallet_address = std::string(kWallet);
  event.batch_id = "b";
  event.task_id = 7;
  for (const std::string& name :
       {std::string("user:u"), std::string("meter:m"), std::string("job:b"), std::string("task:7"),
        "wallet:" + std::string(kWallet)}) {
    domain::EventFilter filter = Channel::Parse(name)->ToFilter();
    ASSERT_THAT(filter.Normalize(), IsOk());
    EXPECT_TRUE(filter.Matches(event)) << name;
    EXPECT_FALSE(filter.Matches({})) << name;
  }
  EXPECT_FALSE(Channel::Parse("batches")->ToFilter().Matches(event));
  event.type = domain::EventType::kBatchMintingCompleted;
  EXPECT_TRUE(Channel::Parse("batches")->ToFilter().Matches(event));
  EXPECT_FALSE(Channel::Parse("system_alerts")->ToFilter().Matches(event));
  event.type = domain::EventType::kSystemAlert;
  EXPECT_TRUE(Channel::Parse("system_alerts")->ToFilter().Matches(event));
  EXPECT_FALSE(Channel::Parse("batches")->ToFilter().Matches(event));
}

}  // namespace
}  // namespace wattmint::bridge
