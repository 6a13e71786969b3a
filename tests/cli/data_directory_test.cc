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
  const auto ledger = data_.LedgerKey();
  ASSERT_THAT(ledger, test::IsOk());
  EXPECT_THAT(data_.LedgerKey(), test::IsOkAndHolds(*ledger));
  EXPECT_NE(*ledger, *data_.CursorKey());
  const auto admin = data_.AdminKey();
  ASSERT_THAT(admin, test::IsOk());
  EXPECT_THAT(*admin, testing::StartsWith("wm_"));
  EXPECT_THAT(data_.FindAdminKey(), test::IsOkAndHolds(*admin));
  EXPECT_NE(*admin, *data_.RelayKey());
  for (const char* name : {"ledger.key", "cursor.key", "admin.key", "relay.key"}) {
    EXPECT_EQ(fs::status(path_ / name).permissions(),
              fs::perms::owner_read | fs::perms::owner_write)
        << name;
  }
}

TEST_F(DataDirectoryTest, RefusesDamagedOrOpenKeys) {
  std::ofstream(path_ / "ledger.key") << "abc\n";
  fs::permissions(path_ / "ledger.key", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(data_.LedgerKey(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ledger.key")));
  ASSERT_THAT(data_.AdminKey(), test::IsOk());
  fs::permissions(path_ / "admin.key", fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(data_.AdminKey(), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(DataDirectoryTest, DoesNotMakeAnAdminKeyForACommand) {
  EXPECT_THAT(data_.FindAdminKey(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(path_ / "admin.key"));
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
