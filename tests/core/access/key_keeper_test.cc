// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_keeper.h"

#include "tests/core/access/status_reason.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::StatusIs;

class KeyKeeperTest : public testing::Test {
 protected:
  KeyKeeperTest() {
    local_ = MakeApiKey(random_);
    Open();
  }
  ~KeyKeeperTest() override { engine_.Close(); }

  void Open() {
    KeyOrder order = Order();
    order.roles = {Role::kAdmin};
    const auto local = LocalKeyRecord(local_.text, order);
    ASSERT_THAT(local, IsOk());
    table_ = std::make_unique<ApiKeyTable>(engine_.clock());
    keeper_ = std::make_unique<KeyKeeper>(
        engine_.queue(), *table_, engine_.clock(), random_, std::vector{*local},
        [this](std::string_view key_id) { revoked_.emplace_back(key_id); });
    keeper_->Load(test::Engine::Value(engine_.queries().LoadApiKeys()),
                  test::Engine::Value(engine_.queries().LoadKeyUses()));
  }

  void Restart() {
    engine_.Close();
    engine_.Open();
    Open();
  }

  static KeyOrder Order() {
    KeyOrder order;
    order.user_id = "alice";
    order.roles = {Role::kUser};
    order.display_name = "her phone";
    return order;
  }

  absl::StatusOr<KeyKeeper::Created> Create(const KeyOrder& order) {
    std::promise<absl::StatusOr<KeyKeeper::Created>> promise;
    keeper_->Create(order, [&](auto created) { promise.set_value(std::move(created)); });
    return promise.get_future().get();
  }

  absl::StatusOr<store::ApiKeyRecord> Revoke(const std::string& key_id) {
    std::promise<absl::StatusOr<store::ApiKeyRecord>> promise;
    keeper_->Revoke(key_id, [&](auto record) { promise.set_value(std::move(record)); });
    return promise.get_future().get();
  }

  base::SystemRandom random_;
  test::Engine engine_;
  NewApiKey local_;
  std::vector<std::string> revoked_;
  std::unique_ptr<ApiKeyTable> table_;
  std::unique_ptr<KeyKeeper> keeper_;
};

TEST_F(KeyKeeperTest, NewKeyIsInForceAtOnceAndAfterARestart) {
  KeyOrder order = Order();
  order.expire_time = engine_.clock().Now() + 1h;
  order.requests_per_second = 5;
  const auto created = Create(order);
  ASSERT_THAT(created, IsOk());
  EXPECT_EQ(created->record.create_time, engine_.clock().Now());
  EXPECT_EQ(created->record.display_name, "her phone");
  for (int i = 0; i < 2; ++i) {
    const auto principal = table_->Authenticate(created->text);
    ASSERT_THAT(principal, IsOk());
    EXPECT_EQ(principal->user_id, "alice");
    EXPECT_EQ(principal->expires_at, order.expire_time);
    EXPECT_EQ(table_->Find(created->record.key_id)->record, created->record);
    Restart();
  }
}

TEST_F(KeyKeeperTest, RevokedKeyIsRefusedAtOnceAndAfterARestart) {
  const auto created = Create(Order());
  ASSERT_THAT(created, IsOk());
  engine_.clock().Advance(1min);
  const auto revoked = Revoke(created->record.key_id);
  ASSERT_THAT(revoked, IsOk());
  EXPECT_EQ(revoked->revoke_time, engine_.clock().Now());
  EXPECT_EQ(revoked_, std::vector{created->record.key_id});
  EXPECT_THAT(table_->Authenticate(created->text), HasReason("REVOKED_API_KEY"));
  Restart();
  EXPECT_THAT(table_->Authenticate(created->text), HasReason("REVOKED_API_KEY"));
}

// The first call may have been answered that its outcome is unknown, before the streams were told.
TEST_F(KeyKeeperTest, RevokingAgainTellsTheStreamsAgain) {
  const auto created = Create(Order());
  ASSERT_THAT(created, IsOk());
  ASSERT_THAT(Revoke(created->record.key_id), IsOk());
  revoked_.clear();
  ASSERT_THAT(Revoke(created->record.key_id), IsOk());
  EXPECT_EQ(revoked_, std::vector{created->record.key_id});
}

TEST_F(KeyKeeperTest, RevokingTwiceIsTheSameAndOneEvent) {
  const auto created = Create(Order());
  ASSERT_THAT(created, IsOk());
  const auto first = Revoke(created->record.key_id);
  engine_.clock().Advance(1min);
  const auto second = Revoke(created->record.key_id);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(*second, *first);
  EXPECT_EQ(engine_.Facts<domain::ApiKeyChanged>().size(), 2u);
}

TEST_F(KeyKeeperTest, EventsSayWhatHappenedWithoutAnySecret) {
  const auto created = Create(Order());
  ASSERT_THAT(created, IsOk());
  ASSERT_THAT(Revoke(created->record.key_id), IsOk());
  const auto changes = engine_.Facts<domain::ApiKeyChanged>();
  ASSERT_EQ(changes.size(), 2u);
  for (const domain::ApiKeyChanged& change : changes) {
    EXPECT_EQ(change.user_id, "alice");
    EXPECT_EQ(change.key_id, created->record.key_id);
  }
  EXPECT_FALSE(changes[0].revoked);
  EXPECT_TRUE(changes[1].revoked);
}

TEST_F(KeyKeeperTest, OrdersThatAreNoneAreRefusedAndStoreNothing) {
  KeyOrder nobody = Order();
  nobody.user_id = "not a user id";
  KeyOrder no_role = Order();
  no_role.roles = {};
  KeyOrder long_name = Order();
  long_name.display_name = std::string(101, 'n');
  KeyOrder past = Order();
  past.expire_time = engine_.clock().Now();
  KeyOrder negative = Order();
  negative.requests_per_second = -1;
  KeyOrder too_fast = Order();
  too_fast.requests_per_second = 1'000'001;
  for (const KeyOrder& order : {nobody, no_role, long_name, past, negative, too_fast}) {
    EXPECT_THAT(Create(order), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_TRUE(engine_.Events().empty());
  EXPECT_EQ(table_->List("").size(), 1u) << "the local key alone";
}

TEST_F(KeyKeeperTest, OrdersAtTheLimitsAreTaken) {
  KeyOrder order = Order();
  order.display_name = std::string(100, 'n');
  order.expire_time = engine_.clock().Now() + 1us;
  order.requests_per_second = 1'000'000;
  EXPECT_THAT(Create(order), IsOk());
}

TEST_F(KeyKeeperTest, UnknownKeyCannotBeRevoked) {
  EXPECT_THAT(Revoke("unknown1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(KeyKeeperTest, LocalKeyIsInForceButNotStoredAndNotRevocable) {
  EXPECT_EQ(table_->Authenticate(local_.text)->roles, RoleSet{Role::kAdmin});
  EXPECT_THAT(Revoke(local_.key_id), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(test::Engine::Value(engine_.queries().LoadApiKeys()).empty());
  EXPECT_THAT(LocalKeyRecord("no key", Order()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(KeyKeeperTest, KeyWhoseCommitIsUnknownIsNotInForce) {
  const auto created = Create(Order());
  ASSERT_THAT(created, IsOk());
  engine_.queue().Stop();
  EXPECT_THAT(Create(Order()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Revoke(created->record.key_id), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(revoked_.empty());
  EXPECT_EQ(table_->List("").size(), 2u);
  EXPECT_THAT(table_->Authenticate(created->text), IsOk());
}

}  // namespace
}  // namespace wattmint::access
