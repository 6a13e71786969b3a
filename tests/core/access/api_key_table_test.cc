// SPDX-License-Identifier: Apache-2.0
#include "core/access/api_key_table.h"

#include "core/access/api_key.h"
#include "core/access/reason.h"
#include "core/base/random.h"
#include "tests/core/access/status_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::StatusIs;

class ApiKeyTableTest : public testing::Test {
 protected:
  store::ApiKeyRecord RecordOf(const NewApiKey& key, std::string user_id = "alice") {
    store::ApiKeyRecord record;
    record.key_id = key.key_id;
    record.sha256 = key.sha256;
    record.user_id = std::move(user_id);
    record.roles = RoleSet{Role::kUser}.bits();
    record.display_name = "of a test";
    record.create_time = clock_.Now();
    return record;
  }

  NewApiKey PutNew() {
    NewApiKey key = MakeApiKey(random_);
    table_.Put(RecordOf(key));
    return key;
  }

  base::SystemRandom random_;
  test::FakeClock clock_;
  ApiKeyTable table_{clock_};
};

TEST_F(ApiKeyTableTest, KeyMakesThePrincipalOfItsRecord) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key, "importer");
  record.roles = RoleSet{Role::kIngest, Role::kUser}.bits();
  record.expire_time = clock_.Now() + 1h;
  table_.Put(record);
  const absl::StatusOr<Principal> principal = table_.Authenticate(key.text);
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(principal->user_id, "importer");
  EXPECT_EQ(principal->roles, (RoleSet{Role::kIngest, Role::kUser}));
  EXPECT_EQ(principal->credential, CredentialKind::kApiKey);
  EXPECT_EQ(principal->key_id, key.key_id);
  EXPECT_EQ(principal->expires_at, record.expire_time);
}

TEST_F(ApiKeyTableTest, UnknownMalformedAndWrongSecretLookTheSame) {
  const NewApiKey key = PutNew();
  std::string wrong_secret = key.text;
  wrong_secret.back() = wrong_secret.back() == 'a' ? 'b' : 'a';
  const absl::Status expected = table_.Authenticate("wm_nonsense").status();
  EXPECT_THAT(expected, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(expected, HasReason("INVALID_API_KEY"));
  for (const std::string& text : {wrong_secret, MakeApiKey(random_).text, std::string()}) {
    EXPECT_EQ(table_.Authenticate(text).status(), expected);
  }
}

TEST_F(ApiKeyTableTest, EveryChangedCharacterIsRefused) {
  const NewApiKey key = PutNew();
  for (std::size_t i = 0; i < key.text.size(); ++i) {
    std::string changed = key.text;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_THAT(table_.Authenticate(changed), HasReason("INVALID_API_KEY")) << i;
  }
}

TEST_F(ApiKeyTableTest, RevokedKeySaysSoToItsHolderOnly) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  table_.Put(record);
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  record.revoke_time = clock_.Now();
  table_.Put(record);
  EXPECT_THAT(table_.Authenticate(key.text), HasReason("REVOKED_API_KEY"));
  std::string wrong_secret = key.text;
  wrong_secret.back() = wrong_secret.back() == 'a' ? 'b' : 'a';
  EXPECT_THAT(table_.Authenticate(wrong_secret), HasReason("INVALID_API_KEY"));
}

TEST_F(ApiKeyTableTest, KeyExpiresAtItsTimeAndNotBefore) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.expire_time = clock_.Now() + 1s;
  table_.Put(record);
  clock_.Advance(1s - 1us);
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
  clock_.Advance(1us);
  EXPECT_THAT(table_.Authenticate(key.text), HasReason("EXPIRED_API_KEY"));
}

TEST_F(ApiKeyTableTest, RevocationIsToldBeforeExpiry) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.expire_time = clock_.Now();
  record.revoke_time = clock_.Now();
  table_.Put(record);
  EXPECT_THAT(table_.Authenticate(key.text), HasReason("REVOKED_API_KEY"));
}

TEST_F(ApiKeyTableTest, RateIsLimitedAndSaysWhenToComeBack) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.requests_per_second = 2;
  table_.Put(record);
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
  const absl::Status limited = table_.Authenticate(key.text).status();
  EXPECT_THAT(limited, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(limited, HasReason("RATE_LIMITED"));
  ASSERT_EQ(RetryAfterOf(limited), base::Duration(500ms));
  clock_.Advance(*RetryAfterOf(limited));
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
}

TEST_F(ApiKeyTableTest, WrongSecretsDoNotUseUpTheRate) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.requests_per_second = 1;
  table_.Put(record);
  std::string wrong_secret = key.text;
  wrong_secret.back() = wrong_secret.back() == 'a' ? 'b' : 'a';
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(table_.Authenticate(wrong_secret), HasReason("INVALID_API_KEY"));
  }
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
}

TEST_F(ApiKeyTableTest, PuttingAKeyAgainDoesNotRefillItsRate) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.requests_per_second = 1;
  table_.Put(record);
  EXPECT_THAT(table_.Authenticate(key.text), IsOk());
  table_.Put(record);
  table_.Load({record}, {});
  EXPECT_THAT(table_.Authenticate(key.text), HasReason("RATE_LIMITED"));
  record.requests_per_second = 0;
  table_.Put(record);
  for (int i = 0; i < 100; ++i) EXPECT_THAT(table_.Authenticate(key.text), IsOk());
}

TEST_F(ApiKeyTableTest, LastUseIsKnownToTheMinute) {
  const NewApiKey key = PutNew();
  EXPECT_EQ(table_.Find(key.key_id)->last_used_at, std::nullopt);
  clock_.Advance(90s);
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  EXPECT_EQ(table_.Find(key.key_id)->last_used_at,
            std::chrono::floor<std::chrono::minutes>(clock_.Now()));
}

TEST_F(ApiKeyTableTest, RefusedUseIsNoUse) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.revoke_time = clock_.Now();
  table_.Put(record);
  EXPECT_THAT(table_.Authenticate(key.text), HasReason("REVOKED_API_KEY"));
  EXPECT_EQ(table_.Find(key.key_id)->last_used_at, std::nullopt);
}

TEST_F(ApiKeyTableTest, CheckCurrentFollowsTheRecord) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.expire_time = clock_.Now() + 1h;
  table_.Put(record);
  EXPECT_THAT(table_.CheckCurrent(key.key_id), IsOk());
  EXPECT_THAT(table_.CheckCurrent("unknown1"), HasReason("INVALID_API_KEY"));
  clock_.Advance(1h);
  EXPECT_THAT(table_.CheckCurrent(key.key_id), HasReason("EXPIRED_API_KEY"));
  record.revoke_time = clock_.Now();
  table_.Put(record);
  EXPECT_THAT(table_.CheckCurrent(key.key_id), HasReason("REVOKED_API_KEY"));
}

TEST_F(ApiKeyTableTest, LoadReplacesWhatWasThere) {
  const NewApiKey gone = PutNew();
  const NewApiKey stays = PutNew();
  ASSERT_THAT(table_.Authenticate(stays.text), IsOk());
  table_.Load({RecordOf(stays)}, {});
  EXPECT_THAT(table_.Authenticate(gone.text), HasReason("INVALID_API_KEY"));
  EXPECT_NE(table_.Find(stays.key_id)->last_used_at, std::nullopt);
  EXPECT_EQ(table_.List("").size(), 1u);
}

TEST_F(ApiKeyTableTest, ListIsByTimeOfMakingAndByUser) {
  const NewApiKey keys[] = {MakeApiKey(random_), MakeApiKey(random_), MakeApiKey(random_)};
  store::ApiKeyRecord first = RecordOf(keys[0]);
  store::ApiKeyRecord second = RecordOf(keys[1], "bob");
  second.create_time += 1s;
  store::ApiKeyRecord third = RecordOf(keys[2]);
  third.create_time += 2s;
  table_.Load({third, first, second}, {});
  const auto all = table_.List("");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].record, first);
  EXPECT_EQ(all[1].record, second);
  EXPECT_EQ(all[2].record, third);
  EXPECT_EQ(table_.List("alice").size(), 2u);
  EXPECT_EQ(table_.List("nobody").size(), 0u);
  EXPECT_EQ(table_.Find("unknown1"), std::nullopt);
}

TEST_F(ApiKeyTableTest, ManyThreadsMayUseKeysWhileTheyChange) {
  const NewApiKey key = MakeApiKey(random_);
  store::ApiKeyRecord record = RecordOf(key);
  record.requests_per_second = 100;
  table_.Put(record);
  std::atomic<int> accepted = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) accepted += table_.Authenticate(key.text).ok() ? 1 : 0;
    });
  }
  for (int i = 0; i < 100; ++i) {
    table_.Put(record);
    PutNew();
    EXPECT_FALSE(table_.List("").empty());
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(accepted, 100) << "the clock stands, so the bucket is never refilled";
}

TEST_F(ApiKeyTableTest, UsesAreUnwrittenUntilTheyAreSetWritten) {
  const NewApiKey key = PutNew();
  PutNew();  // never used
  EXPECT_TRUE(table_.UnwrittenUses().empty());
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  const std::vector<store::KeyUse> uses = table_.UnwrittenUses();
  EXPECT_EQ(uses, std::vector({store::KeyUse{
                      key.key_id, std::chrono::floor<std::chrono::minutes>(clock_.Now())}}));
  EXPECT_EQ(table_.UnwrittenUses(), uses) << "asking is not writing";
  table_.SetWritten(uses);
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  EXPECT_TRUE(table_.UnwrittenUses().empty()) << "the same minute";
  clock_.Advance(1min);
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  EXPECT_EQ(table_.UnwrittenUses().size(), 1u);
}

TEST_F(ApiKeyTableTest, TheLaterOfTwoUsesStaysWhenKeysAreLoaded) {
  const NewApiKey key = PutNew();
  ASSERT_THAT(table_.Authenticate(key.text), IsOk());
  const auto used = table_.Find(key.key_id)->last_used_at;
  ASSERT_TRUE(used.has_value());
  table_.Load({RecordOf(key)}, {{key.key_id, *used - 1h}, {"gone", *used}});
  EXPECT_EQ(table_.Find(key.key_id)->last_used_at, used);
  EXPECT_EQ(table_.UnwrittenUses().size(), 1u);
  table_.Load({RecordOf(key)}, {{key.key_id, *used + 1h}});
  EXPECT_EQ(table_.Find(key.key_id)->last_used_at, *used + 1h);
  EXPECT_TRUE(table_.UnwrittenUses().empty());
}

}  // namespace
}  // namespace wattmint::access
