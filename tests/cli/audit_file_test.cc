// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_file.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::cli {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;
using testing::Not;

class AuditFileTest : public testing::Test {
 protected:
  std::string Text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::unique_ptr<AuditFile> Open(const std::filesystem::path& path) {
    auto file = AuditFile::Open(path);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }

  test::TempDir directory_;
  const std::filesystem::path path_ = directory_ / "audit.log";
};

TEST_F(AuditFileTest, LinesAreAppendedForTheOwnerAlone) {
  Open(path_)->Write("one");
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto file = Open(path_);
  const auto other = Open(path_);
  file->Write("two");
  other->Write("three");
  file->Write("four");
  EXPECT_EQ(Text(path_), "one\ntwo\nthree\nfour\n");
}

TEST_F(AuditFileTest, AFileThatWasMovedAwayIsFollowedByANewOne) {
  const auto file = Open(path_);
  file->Write("one");
  std::filesystem::rename(path_, directory_ / "audit.log.1");
  file->Write("two");
  ASSERT_THAT(file->Reopen(), IsOk());
  file->Write("three");
  EXPECT_EQ(Text(directory_ / "audit.log.1"), "one\ntwo\n");
  EXPECT_EQ(Text(path_), "three\n");
}

TEST_F(AuditFileTest, AFileThatCannotBeOpenedIsAnErrorAndTheOldOneStays) {
  EXPECT_THAT(AuditFile::Open(directory_ / "none" / "audit.log"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("No such file")));
  std::filesystem::create_directory(directory_ / "place");
  const auto file = Open(directory_ / "place" / "audit.log");
  std::filesystem::rename(directory_ / "place", directory_ / "moved");
  EXPECT_THAT(file->Reopen(), StatusIs(absl::StatusCode::kUnavailable));
  file->Write("one");
  EXPECT_EQ(Text(directory_ / "moved" / "audit.log"), "one\n");
}

TEST_F(AuditFileTest, LostLinesAreSaidOnceAndCounted) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  std::filesystem::create_symlink("/dev/full", path_);
  const auto file = Open(path_);
  for (int i = 0; i < 3; ++i) file->Write("lost");
  EXPECT_THAT(log.str(), HasSubstr("No space left on device"));
  EXPECT_THAT(log.str(), Not(HasSubstr("written again")));
  const std::string first = log.str();
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1);
  std::filesystem::remove(path_);
  ASSERT_THAT(file->Reopen(), IsOk());
  file->Write("one");
  EXPECT_THAT(log.str(), HasSubstr("3 lines were lost"));
  EXPECT_EQ(Text(path_), "one\n");
  spdlog::set_default_logger(before);
}

TEST_F(AuditFileTest, LinesOfManyThreadsStayWhole) {
  const auto file = Open(path_);
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c'}) {
    writers.emplace_back([&file, letter] {
      for (int i = 0; i < 200; ++i) file->Write(std::string(300, letter));
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_THAT(file->Reopen(), IsOk());
  for (std::thread& writer : writers) writer.join();
  std::ifstream lines(path_);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line, std::string(300, line.empty() ? '?' : line[0]));
  }
  EXPECT_EQ(count, 600);
}

}  // namespace
}  // namespace wattmint::cli
