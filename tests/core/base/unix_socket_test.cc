// SPDX-License-Identifier: Apache-2.0
#include "core/base/unix_socket.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace wattmint::base {
namespace {

using std::filesystem::perms;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::HasSubstr;

class UnixSocketTest : public testing::Test {
 protected:
  const test::TempDir directory_;
  const std::filesystem::path path_ = directory_ / "socket";
};

TEST_F(UnixSocketTest, CarriesBytesAndSaysWhoIsThere) {
  const auto listener = ListenUnix(path_, 0600);
  ASSERT_THAT(listener, IsOk());
  EXPECT_EQ(*AcceptUnix(*listener), std::nullopt) << "nobody came yet";
  const auto client = ConnectUnix(path_);
  ASSERT_THAT(client, IsOk());
  const auto server = AcceptUnix(*listener);
  ASSERT_THAT(server, IsOk());
  ASSERT_TRUE(server->has_value());
  EXPECT_EQ(write(client->get(), "hello", 5), 5);
  char bytes[8];
  EXPECT_EQ(read((*server)->get(), bytes, sizeof bytes), 5);
  EXPECT_THAT(PeerUser(**server), IsOkAndHolds(geteuid()));
}

TEST_F(UnixSocketTest, HasTheModeThatWasAskedForWhateverTheUmask) {
  const mode_t before = umask(0077);
  EXPECT_THAT(ListenUnix(path_, 0600), IsOk());
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_THAT(ListenUnix(path_, 0666), IsOk());
  EXPECT_NE(std::filesystem::status(path_).permissions() & perms::others_write, perms::none);
  umask(before);
}

TEST_F(UnixSocketTest, ReplacesASocketThatIsLeftOverAndNothingElse) {
  EXPECT_THAT(ListenUnix(path_, 0600), IsOk());
  EXPECT_THAT(ConnectUnix(path_), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refused")));
  EXPECT_THAT(ListenUnix(path_, 0600), IsOk());
  std::filesystem::remove(path_);
  std::ofstream(path_) << "a file";
  EXPECT_THAT(ListenUnix(path_, 0600),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("no socket")));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(UnixSocketTest, RefusesPathsThatCanBeNone) {
  const std::string longest = path_.native() + "/" + std::string(kUnixPathBytesMax, 'x');
  for (const std::string& path : {std::string(), longest}) {
    EXPECT_THAT(ConnectUnix(path), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("107")));
    EXPECT_THAT(ListenUnix(path, 0600), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  const std::string fits = longest.substr(0, kUnixPathBytesMax);
  EXPECT_THAT(ConnectUnix(fits), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(ConnectUnix(path_), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(UnixSocketTest, NeverWaitsForAListenerThatIsBusy) {
  const auto listener = ListenUnix(path_, 0600);
  std::vector<UniqueFd> waiting;
  absl::Status refused;
  while (refused.ok() && waiting.size() < 1'000) {
    auto client = ConnectUnix(path_);
    refused = client.status();
    if (client.ok()) waiting.push_back(*std::move(client));
  }
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::base
