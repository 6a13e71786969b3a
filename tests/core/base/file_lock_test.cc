// SPDX-License-Identifier: Apache-2.0
#include "core/base/file_lock.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <fstream>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace wattmint::base {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::AllOf;
using testing::HasSubstr;

TEST(FileLockTest, NamesTheHolderToWhoeverComesSecond) {
  test::TempDir directory;
  const absl::StatusOr<FileLock> lock = FileLock::Acquire(directory / "lock");
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(FileLock::Acquire(directory / "lock"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(directory.path().native()),
                             HasSubstr("process " + std::to_string(getpid())))));
}

TEST(FileLockTest, IsFreeAgainAfterItsHolder) {
  test::TempDir directory;
  std::optional<FileLock> lock = FileLock::Acquire(directory / "lock").value();
  lock.reset();
  EXPECT_THAT(FileLock::Acquire(directory / "lock"), IsOk());
}

TEST(FileLockTest, IsFreeAgainWhenTheHoldingProcessDies) {
  test::TempDir directory;
  const pid_t child = fork();
  if (child == 0) {
    const bool held = FileLock::Acquire(directory / "lock").ok();
    _exit(held ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_THAT(FileLock::Acquire(directory / "lock"), IsOk());
}

TEST(FileLockTest, ReplacesALongerProcessIdOfThePast) {
  test::TempDir directory;
  std::ofstream(directory / "lock") << "99999999999999999999";
  const absl::StatusOr<FileLock> lock = FileLock::Acquire(directory / "lock");
  ASSERT_THAT(lock, IsOk());
  std::string text;
  std::ifstream(directory / "lock") >> text;
  EXPECT_EQ(text, std::to_string(getpid()));
}

TEST(FileLockTest, MovesWithItsOwner) {
  test::TempDir directory;
  FileLock first = FileLock::Acquire(directory / "first").value();
  FileLock second = FileLock::Acquire(directory / "second").value();
  second = std::move(first);
  EXPECT_THAT(FileLock::Acquire(directory / "first"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(FileLock::Acquire(directory / "second"), IsOk());
}

TEST(FileLockTest, NeedsADirectory) {
  test::TempDir directory;
  EXPECT_THAT(FileLock::Acquire(directory / "missing/lock"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing/lock")));
}

TEST(FileLockTest, NeedsAFileThatItCanWrite) {
  EXPECT_THAT(FileLock::Acquire("/dev/full"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("write /dev/full")));
}

}  // namespace
}  // namespace wattmint::base
