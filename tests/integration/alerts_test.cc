// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"
#include "tests/support/event_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using testing::HasSubstr;
using v1::AlertService;

class AlertsTest : public testing::Test {
 protected:
  client::Credential Key(std::string_view user, v1::Role role) {
    return core_.CreateKey(user, {role}).credential;
  }
  static v1::SendAlertRequest Maintenance() {
    v1::SendAlertRequest request;
    request.set_request_id("r-1");
    request.set_kind("maintenance");
    request.set_severity(v1::SEVERITY_WARNING);
    request.set_message("maintenance at 18:00");
    return request;
  }
  absl::StatusOr<v1::SendAlertResponse> Send(const client::Credential& who,
                                             const v1::SendAlertRequest& request) {
    return Call(core_.alerts(), &AlertService::Stub::SendAlert, who, request);
  }

  TestCore core_;
};

TEST_F(AlertsTest, AnAlertReachesEverybodyAndANotificationItsUser) {
  const std::vector<client::Credential> others = {
      Key("bob", v1::ROLE_USER), Key("ivy", v1::ROLE_INGEST), Key("vic", v1::ROLE_VIEWER)};
  const client::Credential ada = Key("ada", v1::ROLE_USER);
  EventReader live(core_.events(), ada, {});
  ASSERT_TRUE(live.SkipTo(v1::SubscribeResponse::kCaughtUp));
  const std::int64_t alert = core_.SendAlert("r-1", "maintenance at 18:00");
  const std::int64_t notification = core_.SendNotification("r-2", "ada", "your meter is old");

  const std::vector<v1::Event> came = live.ReadEvents(2);
  ASSERT_EQ(came.size(), 2u);
  EXPECT_EQ(came[0].sequence(), alert);
  EXPECT_EQ(came[0].system_alert().kind(), "maintenance");
  EXPECT_EQ(came[0].system_alert().severity(), v1::SEVERITY_WARNING);
  EXPECT_EQ(came[0].system_alert().message(), "maintenance at 18:00");
  EXPECT_EQ(came[1].sequence(), notification);
  EXPECT_EQ(came[1].notification().user_id(), "ada");
  EXPECT_EQ(came[1].notification().level(), v1::SEVERITY_INFO);
  EXPECT_EQ(came[1].notification().message(), "your meter is old");
  for (const client::Credential& other : others) {
    const std::vector<v1::Event> events = core_.ReadEvents(other);
    ASSERT_EQ(events.size(), 1u) << "not what is for ada";
    EXPECT_EQ(events[0].sequence(), alert);
  }
}

TEST_F(AlertsTest, WhatWasSentOutlivesARestartAndIsNotSentAgain) {
  const client::Credential ada = Key("ada", v1::ROLE_USER);
  const auto sent = Send(core_.admin(), Maintenance());
  ASSERT_THAT(sent, IsOk());
  EXPECT_FALSE(sent->existed());
  core_.Restart();
  const auto again = Send(core_.admin(), Maintenance());
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->existed());
  EXPECT_EQ(again->sequence(), sent->sequence());
  EXPECT_EQ(core_.ReadEvents(ada).size(), 1u);
  v1::SendAlertRequest other = Maintenance();
  other.set_message("maintenance at 19:00");
  EXPECT_THAT(Send(core_.admin(), other), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(core_.ReadEvents(ada).size(), 1u);
}

TEST_F(AlertsTest, WhoWasAwayGetsItByTheCursor) {
  const client::Credential ada = Key("ada", v1::ROLE_USER);
  v1::SubscribeRequest request;
  request.mutable_filter()->add_types(v1::EVENT_TYPE_SYSTEM_ALERT);
  {
    EventReader before(core_.events(), ada, request);
    ASSERT_TRUE(before.SkipTo(v1::SubscribeResponse::kCaughtUp));
    request.set_cursor(before.cursor());
  }
  core_.SendNotification("r-1", "ada", "the filter keeps this out");
  const std::int64_t alert = core_.SendAlert("r-2", "maintenance at 18:00");
  core_.Restart();
  EventReader after(core_.events(), ada, request);
  ASSERT_TRUE(after.SkipTo(v1::SubscribeResponse::kCaughtUp));
  ASSERT_EQ(after.events().size(), 1u);
  EXPECT_EQ(after.events()[0].sequence(), alert);
}

TEST_F(AlertsTest, AFilterOnUsersKeepsAlertsOut) {
  core_.SendAlert("r-1", "maintenance at 18:00");
  core_.SendNotification("r-2", "ada", "hello");
  v1::SubscribeRequest request = FromSequence(1);
  request.mutable_filter()->add_user_ids("ada");
  EventReader reader(core_.events(), Key("ada", v1::ROLE_USER), request);
  ASSERT_TRUE(reader.SkipTo(v1::SubscribeResponse::kCaughtUp));
  ASSERT_EQ(reader.events().size(), 1u);
  EXPECT_TRUE(reader.events()[0].has_notification());
}

TEST_F(AlertsTest, OnlyAnAdminSends) {
  for (const v1::Role role : {v1::ROLE_USER, v1::ROLE_INGEST, v1::ROLE_RELAY, v1::ROLE_VIEWER}) {
    const client::Credential key = Key("eve", role);
    const auto alert = Send(key, Maintenance());
    EXPECT_THAT(alert, StatusIs(absl::StatusCode::kPermissionDenied)) << role;
    EXPECT_EQ(access::ReasonOf(alert.status()), access::reason::kPermissionMissing);
    v1::SendNotificationRequest request;
    request.set_user_id("eve");
    EXPECT_THAT(Call(core_.alerts(), &AlertService::Stub::SendNotification, key, request),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
}

TEST_F(AlertsTest, WhatIsWrongIsNamedAndNothingIsSent) {
  const auto refused = [this](auto change) {
    v1::SendAlertRequest request = Maintenance();
    change(request);
    return Send(core_.admin(), request).status();
  };
  EXPECT_THAT(refused([](auto& r) { r.clear_request_id(); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("request_id")));
  EXPECT_THAT(refused([](auto& r) { r.clear_severity(); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("severity")));
  EXPECT_THAT(refused([](auto& r) { r.set_severity(static_cast<v1::Severity>(260)); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("severity")));
  EXPECT_THAT(refused([](auto& r) { r.set_message("two\nlines"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("message")));
  EXPECT_EQ(core_.app().head_sequence(), 0);
}

}  // namespace
}  // namespace wattmint::test
