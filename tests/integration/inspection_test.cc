// SPDX-License-Identifier: Apache-2.0
// What a subscription would bring, and why it brought an event or did not.
#include "core/access/reason.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using v1::EventService;

class InspectionTest : public testing::Test {
 protected:
  InspectionTest() {
    core_.RegisterMeter("m-ada", "ada", WalletAddress(1));
    core_.RegisterMeter("m-bob", "bob", WalletAddress(2));
    for (int i = 0; i < 4; ++i) {
      core_.Submit(QuarterHour("m-ada", i, "1.5"));
      core_.Submit(QuarterHour("m-bob", i, "2.5"));
    }
    core_.WaitUntilMinted();
    ada_ = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  }

  absl::StatusOr<v1::DryRunSubscriptionResponse> TryOut(
      const client::Credential& credential, const v1::DryRunSubscriptionRequest& request) {
    return Call(core_.events(), &EventService::Stub::DryRunSubscription, credential, request);
  }
  absl::StatusOr<v1::ExplainEventResponse> Explain(const client::Credential& credential,
                                                   const v1::ExplainEventRequest& request) {
    return Call(core_.events(), &EventService::Stub::ExplainEvent, credential, request);
  }
  // The first event of this type and user.
  v1::Event Find(v1::EventType type, const std::string& user) {
    for (const v1::Event& event : core_.ReadEvents(core_.admin())) {
      if (static_cast<int>(event.fact_case()) == static_cast<int>(type) &&
          event.ShortDebugString().find(user) != std::string::npos) {
        return event;
      }
    }
    ADD_FAILURE() << "no such event";
    return {};
  }

  TestCore core_;
  client::Credential ada_;
};

TEST_F(InspectionTest, ADryRunCountsWhatAStreamWouldBring) {
  for (const client::Credential& credential : {core_.admin(), ada_}) {
    const std::vector<v1::Event> events = core_.ReadEvents(credential);
    const auto found = TryOut(credential, {});
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->events(), std::ssize(events));
    std::map<int, std::pair<std::int64_t, std::int64_t>> by_type;
    std::int64_t bytes = 0;
    for (const v1::Event& event : events) {
      v1::EventBatch batch;
      *batch.add_events() = event;
      const auto size = static_cast<std::int64_t>(batch.ByteSizeLong());
      bytes += size;
      auto& [count, sum] = by_type[static_cast<int>(event.fact_case())];
      ++count;
      sum += size;
    }
    EXPECT_EQ(found->bytes(), bytes);
    ASSERT_EQ(found->by_type_size(), std::ssize(by_type));
    for (const v1::DryRunCount& count : found->by_type()) {
      EXPECT_EQ(by_type[count.type()], std::pair(count.events(), count.bytes()));
    }
    EXPECT_EQ(found->scanned(), found->head_sequence());
    EXPECT_EQ(found->next_sequence(), found->head_sequence() + 1);
    EXPECT_GE(found->peak_events_per_second(), 1);
    EXPECT_LE(found->peak_events_per_second(), found->events());
    EXPECT_TRUE(found->has_first_time() && found->has_last_time());
  }
}

TEST_F(InspectionTest, ADryRunIsAboutTheFilterTheStartAndTheUserThatIsAskedFor) {
  v1::DryRunSubscriptionRequest request;
  request.mutable_filter()->add_types(v1::EVENT_TYPE_TOKENS_MINTED);
  request.set_as_user("bob");
  auto found = TryOut(core_.admin(), request);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->events(), 4);
  request.set_from_sequence(found->head_sequence() + 1);
  found = TryOut(core_.admin(), request);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->scanned(), 0);
  EXPECT_FALSE(found->has_first_time());
  EXPECT_EQ(found->mean_events_per_second(), 0);
}

TEST_F(InspectionTest, NobodyTriesOutWhatTheyMayNotSee) {
  v1::DryRunSubscriptionRequest request;
  request.set_as_user("bob");
  EXPECT_THAT(TryOut(ada_, request), StatusIs(StatusCode::kPermissionDenied));
  request.clear_as_user();
  request.mutable_filter()->add_meter_ids("m-bob");
  EXPECT_THAT(TryOut(ada_, request), StatusIs(StatusCode::kPermissionDenied));
  request = {};
  request.set_from_sequence(1'000'000);
  EXPECT_EQ(access::ReasonOf(TryOut(ada_, request).status()), "START_IN_FUTURE");
}

TEST_F(InspectionTest, AnExplanationNamesEveryFieldThatExcludes) {
  const v1::Event event = Find(v1::EVENT_TYPE_TOKENS_MINTED, "ada");
  v1::ExplainEventRequest request;
  request.set_sequence(event.sequence());
  auto why = Explain(ada_, request);
  ASSERT_THAT(why, IsOk());
  EXPECT_TRUE(why->delivered() && why->visible());
  EXPECT_EQ(why->event().SerializeAsString(), event.SerializeAsString());

  request.mutable_filter()->add_types(v1::EVENT_TYPE_TASK_CREATED);
  request.mutable_filter()->set_min_energy_kwh("2");
  why = Explain(ada_, request);
  ASSERT_THAT(why, IsOk());
  EXPECT_FALSE(why->delivered());
  EXPECT_TRUE(why->visible());
  EXPECT_THAT(why->excluded_by(), ElementsAre("types", "min_energy_kwh"));
}

TEST_F(InspectionTest, AnAdminLearnsThatAUserDoesNotSeeAnEvent) {
  v1::ExplainEventRequest request;
  request.set_sequence(Find(v1::EVENT_TYPE_TOKENS_MINTED, "ada").sequence());
  request.set_as_user("bob");
  auto why = Explain(core_.admin(), request);
  ASSERT_THAT(why, IsOk());
  EXPECT_FALSE(why->delivered() || why->visible());
  EXPECT_TRUE(why->excluded_by().empty());
  request.set_as_user("ada");
  why = Explain(core_.admin(), request);
  ASSERT_THAT(why, IsOk());
  EXPECT_TRUE(why->delivered() && why->visible());
}

TEST_F(InspectionTest, ToAStrangerAnEventIsAsIfItWereNotThere) {
  v1::ExplainEventRequest request;
  const std::int64_t theirs = Find(v1::EVENT_TYPE_TOKENS_MINTED, "bob").sequence();
  const std::int64_t nobodys = core_.app().head_sequence() + 100;
  const auto sentence = [&](std::int64_t sequence) {
    request.set_sequence(sequence);
    const absl::Status status = Explain(ada_, request).status();
    EXPECT_THAT(status, StatusIs(StatusCode::kNotFound, HasSubstr(std::to_string(sequence))));
    std::string text(status.message());
    return text.replace(text.find(std::to_string(sequence)), std::to_string(sequence).size(), "N");
  };
  EXPECT_EQ(sentence(theirs), sentence(nobodys));
  request.set_sequence(0);
  EXPECT_THAT(Explain(ada_, request), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wattmint::test
