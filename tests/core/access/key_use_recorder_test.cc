// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_use_recorder.h"

#include "core/access/api_key.h"
#include "core/base/random.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::IsOk;
using test::StatusIs;

class KeyUseRecorderTest : public testing::Test {
 protected:
  KeyUseRecorderTest() {
    store::ApiKeyRecord record;
    record.key_id = key_.key_id;
    record.sha256 = key_.sha256;
    record.user_id = "ada";
    table_.Put(record);
  }
  ~KeyUseRecorderTest() override { engine_.Close(); }

  void Use() { ASSERT_THAT(table_.Authenticate(key_.text), IsOk()); }
  std::vector<store::KeyUse> Written() {
    return test::Engine::Value(engine_.queries().LoadKeyUses());
  }
  std::vector<store::KeyUse> ThisMinute() {
    return {{key_.key_id, std::chrono::floor<std::chrono::minutes>(engine_.clock().Now())}};
  }

  base::SystemRandom random_;
  const NewApiKey key_ = MakeApiKey(random_);
  test::Engine engine_;
  ApiKeyTable table_{engine_.clock()};
  std::atomic<int> troubles_ = 0;
  KeyUseRecorder recorder_{
      {.interval = 1h}, engine_.queue(), table_, [this](const absl::Status&) { ++troubles_; }};
};

TEST_F(KeyUseRecorderTest, TheLastUseIsWritten) {
  Use();
  ASSERT_THAT(recorder_.WriteNow(), IsOk());
  EXPECT_EQ(Written(), ThisMinute());
  engine_.clock().Advance(90s);
  Use();
  ASSERT_THAT(recorder_.WriteNow(), IsOk());
  EXPECT_EQ(Written(), ThisMinute());
}

TEST_F(KeyUseRecorderTest, WhatCouldNotBeWrittenIsTriedAgain) {
  Use();
  engine_.queue().Stop();
  EXPECT_THAT(recorder_.WriteNow(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(table_.UnwrittenUses(), ThisMinute());
}

TEST_F(KeyUseRecorderTest, StopWritesWhatIsLeft) {
  std::thread thread([this] { recorder_.Run(); });
  Use();
  recorder_.Stop();
  thread.join();
  EXPECT_EQ(Written(), ThisMinute());
  EXPECT_EQ(troubles_, 0);
}

TEST_F(KeyUseRecorderTest, CallsGoOnWhileUsesAreWritten) {
  std::thread caller([this] {
    for (int i = 0; i < 100; ++i) {
      engine_.clock().Advance(1min);
      Use();
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_THAT(recorder_.WriteNow(), IsOk());
  caller.join();
  ASSERT_THAT(recorder_.WriteNow(), IsOk());
  EXPECT_EQ(Written(), ThisMinute());
}

}  // namespace
}  // namespace wattmint::access
