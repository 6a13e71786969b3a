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

using v1::MintService;

class BatchesTest : public testing::Test {
 protected:
  void SetUp() override {
    core_.RegisterMeter("m-ada", "ada", WalletAddress(1));
    core_.RegisterMeter("m-bob", "bob@x", WalletAddress(2));
    std::vector<v1::ReadingInput> readings;
    for (int i = 0; i < 4; ++i) {
      readings.push_back(QuarterHour(i % 2 == 0 ? "m-ada" : "m-bob", i, "1.5"));
    }
    core_.SubmitAll(readings);
    core_.WaitUntilMinted();
    const auto tasks = Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), {});
    batch_id_ = tasks->tasks(0).batch_id();
  }
  absl::StatusOr<v1::ReadBatchResponse> Read(const client::Credential& who,
                                             const std::string& batch_id,
                                             const std::string& as_user = "") {
    v1::ReadBatchRequest request;
    request.set_batch_id(batch_id);
    request.set_as_user(as_user);
    return Call(core_.mints(), &MintService::Stub::ReadBatch, who, request);
  }
  client::Credential Key(std::string_view user, v1::Role role) {
    return core_.CreateKey(user, {role}).credential;
  }

  TestCore core_;
  std::string batch_id_;
};

TEST_F(BatchesTest, ABatchIsReadAsItStandsInTheLog) {
  const auto batch = Read(core_.admin(), batch_id_);
  ASSERT_THAT(batch, IsOk());
  ASSERT_GT(batch->tasks_size(), 0);
  EXPECT_EQ(batch->sequence(), core_.app().head_sequence());
  std::int64_t last = 0;
  for (const v1::MintTask& task : batch->tasks()) {
    EXPECT_EQ(task.batch_id(), batch_id_);
    EXPECT_EQ(task.state(), v1::MINT_STATE_CONFIRMED);
    EXPECT_GT(task.task_id(), last);
    last = task.task_id();
  }
}

TEST_F(BatchesTest, AUserSeesTheirOwnTasksAlone) {
  const client::Credential ada = Key("ada", v1::ROLE_USER);
  std::vector<std::string> batches;
  const auto all = Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), {});
  int own = 0;
  for (const v1::MintTask& known : all->tasks()) {
    if (!batches.empty() && batches.back() == known.batch_id()) continue;
    batches.push_back(known.batch_id());
    const auto batch = Read(ada, known.batch_id());
    ASSERT_THAT(batch, IsOk());
    EXPECT_THAT(batch->ShortDebugString(), testing::Not(testing::HasSubstr("bob")));
    EXPECT_THAT(batch->ShortDebugString(), testing::Not(testing::HasSubstr(WalletAddress(2))));
    own += batch->tasks_size();
    const auto asked = Read(core_.relay(), known.batch_id(), "ada");
    ASSERT_THAT(asked, IsOk());
    EXPECT_EQ(asked->SerializeAsString(), batch->SerializeAsString());
  }
  EXPECT_EQ(own, 2);
}

TEST_F(BatchesTest, WhatIsOfOthersLooksLikeWhatIsNotThere) {
  const client::Credential eve = Key("eve", v1::ROLE_USER);
  const auto foreign = Read(eve, batch_id_);
  const auto unknown = Read(eve, "no-such-batch");
  ASSERT_THAT(foreign, IsOk());
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(foreign->tasks_size(), 0);
  EXPECT_EQ(foreign->SerializeAsString(), unknown->SerializeAsString());
  const auto viewed = Read(Key("vic", v1::ROLE_VIEWER), batch_id_);
  ASSERT_THAT(viewed, IsOk());
  EXPECT_EQ(viewed->tasks_size(), 0);
}

TEST_F(BatchesTest, NobodyReadsAsSomebodyElseButTheRelayAndTheAdmin) {
  for (const v1::Role role : {v1::ROLE_USER, v1::ROLE_INGEST, v1::ROLE_VIEWER}) {
    const auto batch = Read(Key("eve", role), batch_id_, "ada");
    EXPECT_THAT(batch, StatusIs(absl::StatusCode::kPermissionDenied)) << role;
    EXPECT_EQ(access::ReasonOf(batch.status()), access::reason::kPermissionMissing);
  }
  EXPECT_THAT(Read(core_.admin(), "a b"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Read(core_.admin(), batch_id_, "a b"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wattmint::test
