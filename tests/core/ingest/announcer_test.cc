// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/announcer.h"

#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace wattmint::ingest {
namespace {

using domain::Notification;
using domain::Severity;
using domain::SystemAlert;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

class AnnouncerTest : public testing::Test {
 protected:
  template <typename Fact>
  absl::StatusOr<Announcer::Sent> Send(const std::string& request_id, Fact fact) {
    Announcer announcer(engine_.queue());
    std::promise<absl::StatusOr<Announcer::Sent>> promise;
    announcer.Send(request_id, std::move(fact),
                   [&promise](auto sent) { promise.set_value(std::move(sent)); });
    return promise.get_future().get();
  }
  static SystemAlert Maintenance() {
    return {"maintenance", Severity::kWarning, "maintenance at 18:00"};
  }
  static Notification ForAnn() { return {"ann", Severity::kInfo, "your meter was replaced"}; }

  Engine engine_;
};

TEST_F(AnnouncerTest, WhatIsSentIsAnEvent) {
  const auto alert = Send("a", Maintenance());
  const auto notification = Send("b", ForAnn());
  ASSERT_THAT(alert, IsOk());
  ASSERT_THAT(notification, IsOk());
  EXPECT_EQ(alert->sequence, 1);
  EXPECT_EQ(notification->sequence, 2);
  EXPECT_FALSE(alert->existed);
  const SystemAlert told = engine_.Facts<SystemAlert>().at(0);
  EXPECT_EQ(told.kind, "maintenance");
  EXPECT_EQ(told.severity, Severity::kWarning);
  EXPECT_EQ(told.message, "maintenance at 18:00");
  EXPECT_EQ(engine_.Facts<Notification>().at(0).user_id, "ann");
}

TEST_F(AnnouncerTest, TheSameRequestAgainSendsNothingAlsoAfterARestart) {
  const auto alert = Send("a", Maintenance());
  const auto notification = Send("b", ForAnn());
  engine_.Close();
  engine_.Open();
  const auto again = Send("a", Maintenance());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->sequence, alert->sequence);
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(Send("b", ForAnn())->sequence, notification->sequence);
  EXPECT_EQ(engine_.Events().size(), 2u);
  EXPECT_FALSE(Send("c", Maintenance())->existed) << "another request says the same";
}

TEST_F(AnnouncerTest, ARequestIdIsGoodForOneThingOnly) {
  ASSERT_THAT(Send("a", Maintenance()), IsOk());
  SystemAlert other = Maintenance();
  other.message += "!";
  EXPECT_THAT(Send("a", other), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("event 1")));
  other = Maintenance();
  other.severity = Severity::kInfo;
  EXPECT_THAT(Send("a", other), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Send("a", ForAnn()), StatusIs(absl::StatusCode::kAlreadyExists));
  // An alert and a notification that read alike.
  ASSERT_THAT(Send("b", SystemAlert{"ann", Severity::kInfo, "hello"}), IsOk());
  EXPECT_THAT(Send("b", Notification{"ann", Severity::kInfo, "hello"}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(engine_.Events().size(), 2u);
}

TEST_F(AnnouncerTest, TheSameRequestTwiceWithinOneCommitSendsOnce) {
  Announcer announcer(engine_.queue());
  std::promise<void> begun;
  std::promise<void> go_on;
  engine_.queue().Submit(std::make_unique<store::FunctionOp>(
      [&](store::WriteContext&) {
        begun.set_value();
        go_on.get_future().wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {}));
  begun.get_future().wait();
  std::promise<absl::StatusOr<Announcer::Sent>> first;
  std::promise<absl::StatusOr<Announcer::Sent>> second;
  announcer.Send("a", Maintenance(), [&](auto sent) { first.set_value(sent); });
  announcer.Send("a", Maintenance(), [&](auto sent) { second.set_value(sent); });
  go_on.set_value();
  EXPECT_FALSE(first.get_future().get()->existed);
  EXPECT_TRUE(second.get_future().get()->existed);
  EXPECT_EQ(engine_.Events().size(), 1u);
}

TEST_F(AnnouncerTest, WhatIsWrongIsNamed) {
  struct Row {
    std::string request_id;
    SystemAlert alert;
    const char* field;
  };
  const Row rows[] = {
      {"", Maintenance(), "request_id"},
      {"a\n", Maintenance(), "request_id"},
      {std::string(65, 'a'), Maintenance(), "request_id"},
      {"a", {"main tenance", Severity::kInfo, "m"}, "kind"},
      {"a", {"", Severity::kInfo, "m"}, "kind"},
      {"a", {"k", Severity{}, "m"}, "severity"},
      {"a", {"k", Severity{4}, "m"}, "severity"},
      {"a", {"k", Severity::kInfo, ""}, "message"},
      {"a", {"k", Severity::kInfo, "two\nlines"}, "message"},
      {"a", {"k", Severity::kInfo, std::string(1'001, 'm')}, "message"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(Send(row.request_id, row.alert),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.field)));
  }
  EXPECT_THAT(Send("a", Notification{"a b", Severity::kInfo, "m"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("user_id")));
  EXPECT_THAT(Send("a", Notification{"ann", Severity{}, "m"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("level")));
  EXPECT_TRUE(engine_.Events().empty());
  EXPECT_THAT(Send("a", SystemAlert{"k", Severity::kInfo, std::string(1'000, 'm')}), IsOk());
}

}  // namespace
}  // namespace wattmint::ingest
