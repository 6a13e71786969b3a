// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_file.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace wattmint::base {
namespace {

using std::filesystem::perms;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

class SecretFileTest : public testing::Test {
 protected:
  void Write(std::string_view text, perms permissions) {
    std::ofstream(path_) << text;
    std::filesystem::permissions(path_, permissions);
  }

  ptrdiff_t CountFiles() const {
    using Iterator = std::filesystem::directory_iterator;
    return std::distance(Iterator(directory_.path()), Iterator());
  }

  const test::TempDir directory_;
  const std::filesystem::path path_ = directory_ / "secret.key";
};

TEST_F(SecretFileTest, CreatesForTheOwnerAloneAndReadsItBack) {
  const std::string secret("a\0b\n", 4);
  EXPECT_THAT(CreateSecretFile(path_, secret), IsOk());
  EXPECT_THAT(ReadSecretFile(path_), IsOkAndHolds(secret));
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(CountFiles(), 1);
}

TEST_F(SecretFileTest, NeverReplacesOne) {
  EXPECT_THAT(CreateSecretFile(path_, "first"), IsOk());
  EXPECT_THAT(CreateSecretFile(path_, "second"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("secret.key")));
  EXPECT_THAT(ReadSecretFile(path_), IsOkAndHolds("first"));
  EXPECT_EQ(CountFiles(), 1);
}

TEST_F(SecretFileTest, ReplacesOneWhenToldSo) {
  EXPECT_THAT(ReplaceSecretFile(path_, "first"), IsOk());
  EXPECT_THAT(ReplaceSecretFile(path_, "second"), IsOk());
  EXPECT_THAT(ReadSecretFile(path_), IsOkAndHolds("second"));
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(CountFiles(), 1);
  EXPECT_THAT(ReplaceSecretFile(directory_ / "nowhere" / "secret.key", "third"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SecretFileTest, ReadsAnothersFileOnlyIfThatIsAllowed) {
  EXPECT_THAT(CreateSecretFile(path_, "secret"), IsOk());
  EXPECT_THAT(ReadSecretFile(path_, SecretOwner::kThisUser), IsOkAndHolds("secret"));
  constexpr uid_t kAnother = 65'534;
  if (chown(path_.c_str(), kAnother, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  EXPECT_THAT(ReadSecretFile(path_), IsOkAndHolds("secret"));
  EXPECT_THAT(ReadSecretFile(path_, SecretOwner::kThisUser),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("belongs to user 65534")));
}

TEST_F(SecretFileTest, SaysHowToCloseAFileThatIsOpenToOthers) {
  for (const perms more :
       {perms::group_read, perms::group_write, perms::others_read, perms::others_exec}) {
    Write("secret", perms::owner_read | more);
    EXPECT_THAT(ReadSecretFile(path_),
                StatusIs(absl::StatusCode::kPermissionDenied,
                         AllOf(HasSubstr("secret.key"), HasSubstr("chmod 600"))));
    std::filesystem::remove(path_);
  }
}

TEST_F(SecretFileTest, ReadsUpTo64KiB) {
  Write(std::string(64 * 1024, 'x'), perms::owner_read);
  EXPECT_THAT(ReadSecretFile(path_), IsOkAndHolds(std::string(64 * 1024, 'x')));
  std::filesystem::remove(path_);
  Write(std::string(64 * 1024 + 1, 'x'), perms::owner_read);
  EXPECT_THAT(ReadSecretFile(path_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 65536 bytes")));
}

TEST_F(SecretFileTest, RefusesWhatIsNoRegularFile) {
  EXPECT_THAT(ReadSecretFile(directory_.path()), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(ReadSecretFile(path_), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SecretFileTest, NamesWhatIsMissing) {
  EXPECT_THAT(ReadSecretFile(path_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("secret.key")));
  EXPECT_THAT(CreateSecretFile(directory_ / "missing/secret.key", "secret"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ReadOrCreateSecretFile(directory_ / "missing/secret.key", [] { return "secret"; }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SecretFileTest, IsMadeOnceAndReadEverAfter) {
  EXPECT_THAT(ReadOrCreateSecretFile(path_, [] { return "first"; }), IsOkAndHolds("first"));
  EXPECT_THAT(ReadOrCreateSecretFile(path_, [] { return "second"; }), IsOkAndHolds("first"));
}

TEST_F(SecretFileTest, DoesNotReplaceOneThatIsOpenToOthers) {
  Write("first", perms::owner_read | perms::others_read);
  EXPECT_THAT(ReadOrCreateSecretFile(path_, [] { return "second"; }),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(SecretFileTest, IsTheSameForAllWhoMakeItAtTheSameTime) {
  constexpr size_t kThreads = 8;
  std::vector<std::string> secrets(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i, &secrets] {
      secrets[i] = ReadOrCreateSecretFile(path_, [i] { return std::to_string(i); }).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(secrets, Each(secrets[0]));
  EXPECT_EQ(CountFiles(), 1);
}

}  // namespace
}  // namespace wattmint::base
