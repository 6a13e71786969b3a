// SPDX-License-Identifier: Apache-2.0
// Streams whose filters and credential change while they run.
#include "core/access/reason.h"
#include "tests/support/event_reader.h"
#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::test {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Message = v1::SubscribeResponse;
using Change = v1::SubscribeDynamicRequest;

v1::EventFilter OfMeter(const std::string& meter_id) {
  v1::EventFilter filter;
  filter.add_meter_ids(meter_id);
  return filter;
}

// One call of SubscribeDynamic, on the test's own thread.
class DynamicReader {
 public:
  DynamicReader(v1::EventService::Stub& stub, const client::Credential& credential) {
    client::Attach(credential, context_);
    client::SetTimeout(std::chrono::seconds(30), context_);
    stream_ = stub.SubscribeDynamic(&context_);
  }
  ~DynamicReader() {
    if (stream_ == nullptr) return;
    context_.TryCancel();
    stream_->Finish();
  }

  void Send(const Change& change) { stream_->Write(change); }
  void Start(const std::map<std::string, v1::EventFilter>& filters,
             const v1::SubscribeRequest& place = {}) {
    Change change;
    for (const auto& [name, filter] : filters) {
      (*change.mutable_start()->mutable_filters())[name] = filter;
    }
    *change.mutable_start()->mutable_place() = place;
    Send(change);
  }
  void Add(std::int64_t id, const std::string& name, const v1::EventFilter& filter) {
    Change change;
    change.set_change_id(id);
    change.mutable_add_filter()->set_name(name);
    *change.mutable_add_filter()->mutable_filter() = filter;
    Send(change);
  }
  void Remove(std::int64_t id, const std::string& name) {
    Change change;
    change.set_change_id(id);
    change.mutable_remove_filter()->set_name(name);
    Send(change);
  }
  void Renew(std::int64_t id, const std::string& credential) {
    Change change;
    change.set_change_id(id);
    change.mutable_renew_credential()->set_credential(credential);
    Send(change);
  }
  void SayNoMore() { stream_->WritesDone(); }

  // Reads on to the next message of this kind and keeps the events on the way.
  std::optional<Message> SkipTo(Message::MessageCase kind) {
    Message message;
    while (stream_->Read(&message)) {
      for (const v1::Event& event : message.batch().events()) {
        sequences_.push_back(event.sequence());
      }
      if (message.message_case() == kind) return message;
    }
    return std::nullopt;
  }
  // Reads on until an event from `sequence` on has come.
  void ReadUpTo(std::int64_t sequence) {
    while (sequences_.empty() || sequences_.back() < sequence) {
      if (!SkipTo(Message::kBatch)) return;
    }
  }
  // Reads on until the stream has looked at `sequence`, whether or not it lets that through.
  void AwaitSight(std::int64_t sequence) {
    for (;;) {
      const auto message = SkipTo(Message::kHeartbeat);
      if (!message || message->heartbeat().delivered_sequence() >= sequence) return;
    }
  }
  const std::vector<std::int64_t>& sequences() const { return sequences_; }
  absl::Status Finish() {
    while (SkipTo(Message::MESSAGE_NOT_SET)) {
    }
    const absl::Status status = client::FromGrpc(stream_->Finish());
    stream_ = nullptr;
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Change, Message>> stream_;
  std::vector<std::int64_t> sequences_;
};

class DynamicTest : public testing::Test {
 protected:
  static rpc::CoreOptions Options() {
    rpc::CoreOptions options = TestCore::Defaults();
    options.mints.automatic = false;
    options.feeds.heartbeat = std::chrono::milliseconds(300);
    return options;
  }

  void SetUp() override {
    for (int i = 0; i < 4; ++i) {
      core_.RegisterMeter("m-" + std::to_string(i), i == 3 ? "bob" : "ada", WalletAddress(1 + i));
    }
  }
  // A reading, which is two events.
  void Submit(int meter) {
    core_.Submit(QuarterHour("m-" + std::to_string(meter), submitted_++, "1"));
  }
  std::int64_t head() { return core_.app().head_sequence(); }

  TestCore core_{Options()};
  int submitted_ = 0;
};

TEST_F(DynamicTest, AFilterHoldsFromTheSequenceThatItsAnswerNames) {
  DynamicReader reader(core_.events(), core_.admin());
  reader.Start({{"first", OfMeter("m-0")}});
  const auto established = reader.SkipTo(Message::kEstablished);
  ASSERT_TRUE(established);
  EXPECT_EQ(established->established().filters().at("first").meter_ids(0), "m-0");
  Submit(0);
  Submit(1);
  reader.AwaitSight(head());
  reader.Add(7, "second", OfMeter("m-1"));
  const auto changed = reader.SkipTo(Message::kFiltersChanged);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->filters_changed().change_id(), 7);
  EXPECT_EQ(changed->filters_changed().holds_from_sequence(), head() + 1);
  Submit(1);
  reader.ReadUpTo(head());
  EXPECT_THAT(reader.sequences(), ElementsAre(5, 6, 9, 10));
}

TEST(DynamicLimitTest, ChangesTakeFromTheRateOfTheUser) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.user_calls_per_second = 1;
  TestCore core(options);
  core.RegisterMeter("m-0", "ada", WalletAddress(1));
  DynamicReader reader(core.events(), core.CreateKey("ada", {v1::ROLE_USER}).credential);
  reader.Start({{"first", OfMeter("m-0")}});
  ASSERT_TRUE(reader.SkipTo(Message::kEstablished));
  reader.Add(1, "second", OfMeter("m-0"));
  const auto refused = reader.SkipTo(Message::kChangeRefused);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->change_refused().change_id(), 1);
  EXPECT_EQ(refused->change_refused().reason(), access::reason::kRateLimited);
  core.Submit(QuarterHour("m-0", 0, "1"));
  EXPECT_TRUE(reader.SkipTo(Message::kBatch)) << "the stream goes on";
}

// What came is exactly what the filters that were in force let through, event by event.
TEST_F(DynamicTest, ChangesWithinTrafficLoseAndRepeatNothing) {
  SeededRandom random(5);
  DynamicReader reader(core_.events(), core_.admin());
  std::set<int> wanted = {0};
  reader.Start({{"0", OfMeter("m-0")}}, FromSequence(1));
  std::map<std::int64_t, std::set<int>> in_force = {{1, wanted}};
  for (std::int64_t id = 1; id <= 60; ++id) {
    for (std::uint64_t i = random.NextBelow(4); i > 0; --i) {
      Submit(static_cast<int>(random.NextBelow(4)));
    }
    const int meter = static_cast<int>(random.NextBelow(4));
    if (wanted.contains(meter) && wanted.size() > 1) {
      wanted.erase(meter);
      reader.Remove(id, std::to_string(meter));
    } else {
      wanted.insert(meter);
      reader.Add(id, std::to_string(meter), OfMeter("m-" + std::to_string(meter)));
    }
    const auto changed = reader.SkipTo(Message::kFiltersChanged);
    ASSERT_TRUE(changed);
    ASSERT_EQ(changed->filters_changed().change_id(), id);
    in_force[changed->filters_changed().holds_from_sequence()] = wanted;
  }
  Submit(*wanted.begin());
  reader.ReadUpTo(head());
  std::vector<std::int64_t> expected;
  for (const v1::Event& event : core_.ReadEvents(core_.admin())) {
    const std::string text = event.ShortDebugString();
    const auto& filters = std::prev(in_force.upper_bound(event.sequence()))->second;
    for (const int meter : filters) {
      if (text.find("\"m-" + std::to_string(meter) + "\"") == std::string::npos) continue;
      expected.push_back(event.sequence());
    }
  }
  EXPECT_EQ(reader.sequences(), expected);
}

TEST_F(DynamicTest, TheCursorOfAChangeIsGoodForTheNewFilters) {
  DynamicReader reader(core_.events(), core_.admin());
  reader.Start({{"a", OfMeter("m-0")}});
  reader.Add(1, "b", OfMeter("m-1"));
  const auto changed = reader.SkipTo(Message::kFiltersChanged);
  ASSERT_TRUE(changed);
  Submit(1);
  v1::SubscribeRequest place;
  place.set_cursor(changed->filters_changed().cursor());
  DynamicReader resumed(core_.events(), core_.admin());
  resumed.Start({{"x", OfMeter("m-1")}, {"y", OfMeter("m-0")}}, place);
  resumed.ReadUpTo(head());
  EXPECT_THAT(resumed.sequences(), ElementsAre(5, 6));

  DynamicReader other(core_.events(), core_.admin());
  other.Start({{"x", OfMeter("m-1")}}, place);
  EXPECT_EQ(access::ReasonOf(other.Finish()), "FILTER_CHANGED");
}

TEST_F(DynamicTest, ARefusedChangeChangesNothing) {
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  DynamicReader reader(core_.events(), ada);
  reader.Start({{"a", OfMeter("m-0")}});
  v1::EventFilter nonsense;
  nonsense.set_min_energy_kwh("much");
  reader.Add(1, "b", OfMeter("m-3"));
  reader.Add(2, "b", nonsense);
  reader.Remove(3, "b");
  reader.Remove(4, "a");
  reader.Add(5, std::string(65, 'x'), OfMeter("m-0"));
  reader.Start({{"a", OfMeter("m-0")}});
  reader.Send({});
  const std::vector<StatusCode> codes = {
      StatusCode::kPermissionDenied,   StatusCode::kInvalidArgument, StatusCode::kNotFound,
      StatusCode::kFailedPrecondition, StatusCode::kInvalidArgument, StatusCode::kInvalidArgument,
      StatusCode::kInvalidArgument};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto refused = reader.SkipTo(Message::kChangeRefused);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->change_refused().change_id(), i < 5 ? static_cast<int>(i) + 1 : 0);
    EXPECT_EQ(static_cast<StatusCode>(refused->change_refused().code()), codes[i]) << i;
    EXPECT_FALSE(refused->change_refused().message().empty());
  }
  Submit(3);
  Submit(0);
  reader.ReadUpTo(head());
  EXPECT_THAT(reader.sequences(), ElementsAre(head() - 1, head()));
}

TEST_F(DynamicTest, FiltersAreBounded) {
  DynamicReader reader(core_.events(), core_.admin());
  reader.Start({{"0", OfMeter("m-0")}});
  for (int i = 1; i <= 50; ++i) reader.Add(i, std::to_string(i), OfMeter("m-0"));
  for (int i = 1; i < 50; ++i) ASSERT_TRUE(reader.SkipTo(Message::kFiltersChanged));
  const auto refused = reader.SkipTo(Message::kChangeRefused);
  ASSERT_TRUE(refused);
  EXPECT_EQ(static_cast<StatusCode>(refused->change_refused().code()),
            StatusCode::kResourceExhausted);
}

TEST_F(DynamicTest, ARenewedCredentialOutlivesTheOldOne) {
  const auto old = core_.CreateKey("ada", {v1::ROLE_USER}, std::chrono::milliseconds(1'500));
  const auto fresh = core_.CreateKey("ada", {v1::ROLE_USER}, std::chrono::hours(1));
  const auto bobs = core_.CreateKey("bob", {v1::ROLE_USER});
  DynamicReader reader(core_.events(), old.credential);
  reader.Start({{"a", OfMeter("m-0")}});
  ASSERT_TRUE(reader.SkipTo(Message::kCredentialExpiring));
  reader.Renew(1, bobs.credential.text);
  auto refused = reader.SkipTo(Message::kChangeRefused);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->change_refused().reason(), "SCOPE_CHANGED");
  reader.Renew(2, "rubbish");
  refused = reader.SkipTo(Message::kChangeRefused);
  ASSERT_TRUE(refused);
  EXPECT_EQ(static_cast<StatusCode>(refused->change_refused().code()),
            StatusCode::kUnauthenticated);
  reader.Renew(3, fresh.credential.text);
  const auto renewed = reader.SkipTo(Message::kCredentialRenewed);
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->credential_renewed().change_id(), 3);
  EXPECT_TRUE(renewed->credential_renewed().has_expire_time());
  // Heartbeats come every 300 ms: six of them are longer than the old key had left.
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(reader.SkipTo(Message::kHeartbeat));

  v1::RevokeApiKeyRequest revoke;
  revoke.set_key_id(fresh.key_id);
  ASSERT_THAT(Call(core_.access(), &v1::AccessService::Stub::RevokeApiKey, core_.admin(), revoke),
              IsOk());
  EXPECT_EQ(access::ReasonOf(reader.Finish()), access::reason::kRevokedApiKey);
}

TEST_F(DynamicTest, WhatDoesNotBeginWithAStartEnds) {
  DynamicReader wrong(core_.events(), core_.admin());
  wrong.Remove(1, "a");
  EXPECT_THAT(wrong.Finish(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("must come first")));
  DynamicReader silent(core_.events(), core_.admin());
  silent.SayNoMore();
  EXPECT_THAT(silent.Finish(), StatusIs(StatusCode::kInvalidArgument));
  DynamicReader empty(core_.events(), core_.admin());
  empty.Start({});
  EXPECT_THAT(empty.Finish(), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(DynamicTest, WhoHasSaidAllGoesOnListening) {
  DynamicReader reader(core_.events(), core_.admin());
  reader.Start({{"a", OfMeter("m-0")}});
  reader.SayNoMore();
  ASSERT_TRUE(reader.SkipTo(Message::kCaughtUp));
  Submit(0);
  reader.ReadUpTo(head());
  EXPECT_EQ(reader.sequences().size(), 2u);
}

TEST_F(DynamicTest, AStreamThatHasNotBegunEndsWithTheServer) {
  DynamicReader reader(core_.events(), core_.admin());
  DynamicReader begun(core_.events(), core_.admin());
  begun.Start({{"a", OfMeter("m-0")}});
  ASSERT_TRUE(begun.SkipTo(Message::kCaughtUp));
  core_.Stop();
  EXPECT_THAT(reader.Finish(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(begun.Finish(), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::test
