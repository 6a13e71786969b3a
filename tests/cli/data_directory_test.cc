// SPDX-License-Identifier: Apache-2.0
#include "cli/data_directory.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace wattmint::cli {
namespace {

using test::StatusIs;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class DataDirectoryTest : public testing::Test {
 protected:
  DataDirectoryTest() : path_(directory_ / "data"), data_(path_) {
    EXPECT_THAT(data_.Create(), test::IsOk());
  }

  test::TempDir directory_;
  const fs::path path_;
  const DataDirectory data_;
};

TEST_F(DataDirectoryTest, IsForItsOwnerAlone) {
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_all);
  EXPECT_THAT(data_.Create(), test::IsOk()) << "again";
}

TEST_F(DataDirectoryTest, MakesKeysOnceAndForItsOwnerAlone) {
  const auto cursor = data_.CursorKey();
  ASSERT_THAT(cursor, test::IsOk());
  EXPECT_THAT(data_.CursorKey(), test::IsOkAndHolds(*cursor));
  const auto admin = data_.AdminKey();
  ASSERT_THAT(admin, test::IsOk());
  EXPECT_THAT(*admin, testing::StartsWith("wm_"));
  EXPECT_THAT(data_.FindAdminKey(), test::IsOkAndHolds(*admin));
  EXPECT_NE(*admin, *data_.RelayKey());
  for (const char* name : {"cursor.key", "admin.key", "relay.key"}) {
    EXPECT_EQ(fs::status(path_ / name).permissions(),
              fs::perms::owner_read | fs::perms::owner_write)
        << name;
  }
}

TEST_F(DataDirectoryTest, RefusesDamagedOrOpenKeys) {
  std::ofstream(path_ / "cursor.key") << "abc\n";
  fs::permissions(path_ / "cursor.key", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(data_.CursorKey(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cursor.key")));
  ASSERT_THAT(data_.AdminKey(), test::IsOk());
  fs::permissions(path_ / "admin.key", fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(data_.AdminKey(), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(DataDirectoryTest, DoesNotMakeAnAdminKeyForACommand) {
  EXPECT_THAT(data_.FindAdminKey(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(path_ / "admin.key"));
}

TEST_F(DataDirectoryTest, PinsTheKeyOfTheLedgerOnce) {
  EXPECT_THAT(data_.FindLedgerPublicKey(), test::IsOkAndHolds(std::nullopt));
  const ledger::Ed25519PublicKey key{1, 2, 3};
  EXPECT_THAT(data_.PinLedgerPublicKey(key), test::IsOk());
  EXPECT_THAT(data_.FindLedgerPublicKey(), test::IsOkAndHolds(key));
  EXPECT_THAT(data_.PinLedgerPublicKey(key), StatusIs(absl::StatusCode::kAlreadyExists));
  std::ofstream(data_.ledger_public_key()) << "damaged\n";
  EXPECT_THAT(data_.FindLedgerPublicKey(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ledger.pub")));
}

TEST_F(DataDirectoryTest, KeepsTheDayOfASigner) {
  const auto never = data_.SignerDay();
  ASSERT_THAT(never, test::IsOk());
  EXPECT_EQ(never->set_aside.base_units(), 0);
  const std::chrono::sys_days date = std::chrono::year{2026} / 6 / 1;
  for (const std::int64_t base_units : {5L, 1'000'000'000'000L}) {
    EXPECT_THAT(data_.KeepSignerDay({date, domain::TokenAmount::FromBaseUnits(base_units)}),
                test::IsOk());
    const auto day = data_.SignerDay();
    ASSERT_THAT(day, test::IsOk());
    EXPECT_EQ(day->date, date);
    EXPECT_EQ(day->set_aside.base_units(), base_units);
  }
  for (const char* damaged : {"", "\n", "2026-06-01", "2026-06-01 ", "2026-06-01 -5", "x 5"}) {
    std::ofstream(path_ / "signer.day") << damaged;
    EXPECT_THAT(data_.SignerDay(), StatusIs(absl::StatusCode::kInvalidArgument)) << damaged;
  }
}

TEST_F(DataDirectoryTest, IsHeldByOneSignerBesideTheCore) {
  const auto core = data_.Lock();
  const auto lock = data_.LockSigner();
  ASSERT_THAT(lock, test::IsOk());
  EXPECT_THAT(data_.LockSigner(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a signer runs on")));
}

TEST_F(DataDirectoryTest, IsHeldByOneCore) {
  const auto lock = data_.Lock();
  ASSERT_THAT(lock, test::IsOk());
  EXPECT_THAT(data_.Lock(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a core runs on")));
}

TEST_F(DataDirectoryTest, TellsWhereProgramsListen) {
  EXPECT_EQ(data_.FindAddress("core"), std::nullopt);
  ASSERT_THAT(data_.WriteAddress("core", "127.0.0.1:4711"), test::IsOk());
  EXPECT_EQ(data_.FindAddress("core"), "127.0.0.1:4711");
  EXPECT_EQ(data_.FindAddress("bridge"), std::nullopt);
  data_.RemoveAddress("core");
  EXPECT_EQ(data_.FindAddress("core"), std::nullopt);
}

}  // namespace
}  // namespace wattmint::cli
